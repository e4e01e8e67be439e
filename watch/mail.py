"""Words by e-mail: STARTTLS or TLS, the password from where nobody else reads it."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from watch.errors import NotifyError
from watch.notify_settings import Security

if TYPE_CHECKING:
    from watch.credentials import Secret
    from watch.notify_settings import EmailSettings
    from watch.sinks import Message


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server."""

    settings: EmailSettings
    password: Secret | None
    timeout_s: float
    name: str = "email"

    def deliver(self, message: Message) -> None:
        """Hand the message to the server; the same message has the same Message-ID for ever."""
        settings = self.settings
        mail = mail_of(message, settings)
        try:
            with self._connected() as server:
                if settings.user and self.password is not None:
                    server.login(settings.user, self.password.value)
                refused = server.send_message(mail, settings.sender, list(settings.to))
        except smtplib.SMTPAuthenticationError:
            # A server's answer may hold what it was sent.
            raise NotifyError(f"{settings.host} refuses user and password", hint=_HINT) from None
        except smtplib.SMTPResponseException as error:
            raise NotifyError(f"{settings.host} refuses the mail: code {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotifyError(
                f"{settings.host}: {_reason(error)}", hint="It is tried again next time"
            ) from None
        if refused:
            raise NotifyError(f"{settings.host} refuses {len(refused)} of {len(settings.to)} recipients")

    def _connected(self) -> smtplib.SMTP:
        settings, context = self.settings, ssl.create_default_context()
        if settings.security is Security.TLS:
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=self.timeout_s, context=context)
        server = smtplib.SMTP(settings.host, settings.port, timeout=self.timeout_s)
        if settings.security is Security.STARTTLS:
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


_HINT = "Set SITEWATCH_SMTP_PASSWORD, or [smtp] password in credentials.toml"


def mail_of(message: Message, settings: EmailSettings) -> EmailMessage:
    """Return the message as a mail, in plain text and as HTML."""
    mail = EmailMessage()
    mail["From"] = Address(addr_spec=settings.sender)
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.made)
    mail["Message-ID"] = f"<{message.id}@sitewatch.invalid>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday notices don't answer it
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it does not offer what is asked for (STARTTLS or a login)"
    if isinstance(error, ssl.SSLError):
        return f"no trusted encryption ({error.reason})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
