"""Words to chats, by apprise, which knows a hundred of them: `pip install sitewatch[notify]`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watch.errors import NotifyError

if TYPE_CHECKING:
    from watch.credentials import Secret
    from watch.sinks import Message


@dataclass(frozen=True, slots=True)
class Chat:
    """One or more addresses that apprise understands; they hold tokens and are never shown."""

    addresses: Secret | None
    """Apart by spaces."""
    name: str = "chat"

    def sender(self) -> tuple[Any, Any]:
        """Return apprise, and what sends to all of them by it.

        Raises:
            NotifyError: There is no address, it is not understood, or apprise is not installed.
        """
        if self.addresses is None:
            hint = "Set SITEWATCH_CHAT_URLS, or [chat] urls in credentials.toml"
            raise NotifyError("no address of a chat is set", hint=hint)
        try:
            apprise = importlib.import_module("apprise")
        except ImportError:
            hint = "Run: pip install 'sitewatch[notify]'"
            raise NotifyError("chats are reached by apprise, which is not installed", hint=hint) from None
        sender = apprise.Apprise()
        for position, address in enumerate(self.addresses.value.split(), start=1):
            if not sender.add(address):
                raise NotifyError(f"apprise does not understand address {position}")
        return apprise, sender

    def deliver(self, message: Message) -> None:
        """Send subject and text to all of them."""
        apprise, sender = self.sender()
        sent = sender.notify(title=message.subject, body=message.text, body_format=apprise.NotifyFormat.TEXT)
        if not sent:
            raise NotifyError("not every chat took it", hint="It is tried again next time")
