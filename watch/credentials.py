"""Where an account's credentials are found: argument, environment, file, in that order; never in argv.

A file holds them as

    [sentinelhub]
    client_id = "..."
    client_secret = "..."

and is refused when anybody but its owner may read it.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import Where
from imagery.errors import CredentialsError
from imagery.sentinelhub.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDENTIALS_FILE = "credentials.toml"

_SECTION = "sentinelhub"
_OTHER_SECTIONS = frozenset({"smtp", "webhook", "chat"})
_FIELDS = ("client_id", "client_secret")
_VARIABLES = (
    ("SITEWATCH_SH_CLIENT_ID", "SITEWATCH_SH_CLIENT_SECRET"),
    ("SH_CLIENT_ID", "SH_CLIENT_SECRET"),
)
_MAX_BYTES = 2**16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def find_credentials(
    root: Path, environment: Mapping[str, str], *, given: Credentials | None = None
) -> Credentials | None:
    """Return the first credentials there are; None where there are none.

    Args:
        root: The workspace; its `credentials.toml` goes before the user's own.
        environment: The process's variables.
        given: Credentials that a caller passes by hand.

    Raises:
        CredentialsError: Half of a pair is there, or a file can be read by others or not understood.
    """
    if given is not None:
        return given
    for names in _VARIABLES:
        values = [environment.get(name, "") for name in names]
        if all(values):
            return Credentials(values[0], values[1], f"environment ({names[0]})")
        if any(values):
            lacking = names[0] if not values[0] else names[1]
            raise CredentialsError(f"half of the credentials is set: {lacking} is missing")
    for path in credentials_paths(root, environment):
        found = _read(path)
        if found is not None:
            return found
    return None


def credentials_paths(root: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files that are looked into, in order; the second as XDG Base Directories say."""
    home = environment.get("XDG_CONFIG_HOME") or str(
        Path(environment.get("HOME", "~")).expanduser() / ".config"
    )
    return root / CREDENTIALS_FILE, Path(home) / "sitewatch" / CREDENTIALS_FILE


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that never shows itself."""

    value: str = field(repr=False)
    origin: str = "argument"
    """Where it was found, in words."""

    def __str__(self) -> str:
        """Return where it came from."""
        return f"a secret from {self.origin}"


def find_secret(root: Path, environment: Mapping[str, str], section: str, name: str) -> Secret | None:
    """Return a secret from ``SITEWATCH_<SECTION>_<NAME>``, else from a credentials file; None without one.

    Args:
        root: The workspace; its `credentials.toml` goes before the user's own.
        environment: The process's variables.
        section: Of the file: ``smtp``, ``webhook``, ``chat``.
        name: Of the line in it.

    Raises:
        CredentialsError: A file can be read by others or not understood, or the secret is no plain text.
    """
    variable = f"SITEWATCH_{section}_{name}".upper()
    if environment.get(variable):
        return _checked(Secret(environment[variable], f"environment ({variable})"))
    for path in credentials_paths(root, environment):
        data = _private_bytes(path)
        if data is None:
            continue
        try:
            value = tomllib.loads(data.decode()).get(section, {}).get(name)
        except (ValueError, AttributeError):
            # Without the cause, as below.
            problem = f"[{section}] {name} can't be read from it"
            raise CredentialsError(problem, where=Where(str(path), field=section)) from None
        if value is not None and not isinstance(value, str):
            raise CredentialsError(f"{name} must be text", where=Where(str(path), field=section))
        if value:
            return _checked(Secret(value, f"file ({path})"))
    return None


def _checked(secret: Secret) -> Secret:
    if not secret.value.isprintable():
        problem = f"{secret} holds line ends or control characters"
        raise CredentialsError(problem, hint="Copy it again")
    return secret


def _read(path: Path) -> Credentials | None:
    data = _private_bytes(path)
    return None if data is None or _speaks_of_others(data) else _parsed(data, path)


def _speaks_of_others(data: bytes) -> bool:
    """Whether a file holds secrets, and none of an image service."""
    try:
        document = tomllib.loads(data.decode())
    except ValueError:
        return False
    return bool(document) and document.keys() <= _OTHER_SECTIONS


def _private_bytes(path: Path) -> bytes | None:
    where = Where(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsError(f"it can't be opened: {error.strerror}", where=where) from error
    with os.fdopen(descriptor, "rb") as stream:
        # Of the open file, not of its name: a name can be pointed elsewhere in between.
        if os.fstat(descriptor).st_mode & _OTHERS:
            problem = "others on this machine may read it"
            raise CredentialsError(problem, where=where, hint=f"Run: chmod 600 {path}")
        return stream.read(_MAX_BYTES)


def _parsed(data: bytes, path: Path) -> Credentials:
    where = Where(str(path), field=_SECTION)
    hint = f"Write [{_SECTION}] with client_id and client_secret, each in quotes"
    try:
        section = tomllib.loads(data.decode())[_SECTION]
        values = [section[name] for name in _FIELDS]
    except (ValueError, KeyError, TypeError):
        # Without the cause: a parser's message may quote the line with the secret.
        problem = "client_id and client_secret can't be read from it"
        raise CredentialsError(problem, where=where, hint=hint) from None
    if not all(isinstance(value, str) for value in values):
        raise CredentialsError("client_id and client_secret must be text", where=where, hint=hint)
    return Credentials(values[0], values[1], f"file ({path})")
