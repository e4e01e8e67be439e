"""The seam between asking and paying: who is told before a request and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imagery.provenance import Charge


class Meter(Protocol):
    """Keeps the account of what was asked and what it cost; called from several threads."""

    def ask(self, what: str, estimate: Charge) -> str:
        """Note that something will be asked; return the ticket to settle it by.

        Args:
            what: What it is for, in a word: the key of a scene, ``search``.
            estimate: What it should cost; counted as spent until it is settled.

        Raises:
            BudgetError: The user's limit would be passed; it must not be asked.
        """

    def settle(self, ticket: str, spent: Charge) -> None:
        """Note what it did cost."""


class Unmetered:
    """A `Meter` that lets everything pass and forgets it."""

    def ask(self, what: str, estimate: Charge) -> str:  # noqa: ARG002 - the signature is the meter's
        """Let it pass."""
        return ""

    def settle(self, ticket: str, spent: Charge) -> None:
        """Forget it."""


if TYPE_CHECKING:

    def conforms(meter: Unmetered) -> Meter:
        """Let the type checker prove that it is a meter."""
        return meter
