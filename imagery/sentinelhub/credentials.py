"""A client id and its secret, which never shows itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from imagery.errors import CredentialsError

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account's OAuth client is known by."""

    client_id: str
    client_secret: str = field(repr=False)
    origin: str = "argument"
    """Where they were found, in words: ``environment (SH_CLIENT_ID)``."""

    def __post_init__(self) -> None:
        """Refuse what can't be credentials; the message never holds the value.

        Raises:
            CredentialsError: Empty, or with spaces or control characters.
        """
        for name in ("client_id", "client_secret"):
            value = getattr(self, name)
            if not value or not value.isprintable() or any(char.isspace() for char in value):
                problem = f"the {name} from {self.origin} is empty or holds spaces"
                raise CredentialsError(problem, hint="Copy it again, without quotes and line ends")

    def __str__(self) -> str:
        """Return the id, masked, and where it came from."""
        return f"{masked(self.client_id)} from {self.origin}"


def masked(text: str) -> str:
    """Return the first characters of a long text and dots for the others.

    >>> masked("sh-12345678-abcd"), masked("short")
    ('sh-1...', '...')
    """
    return f"{text[:_SHOWN]}..." if len(text) > 3 * _SHOWN else "..."
