"""What a workspace lets its user set about words: when, about what, and where to. Secrets are no settings."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from watch.webaddress import LOOPBACK, checked_address

_MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)


def _mail_address(text: str) -> str:
    if text and not _MAIL_ADDRESS.fullmatch(text):
        message = "an e-mail address is NAME@HOST"
        raise ValueError(message)
    return text


def _inner_path(text: str) -> str:
    if text.startswith("/") or "\\" in text or ".." in text.split("/") or not text.isprintable():
        message = "a file inside the workspace, with '/'"
        raise ValueError(message)
    return text


def _web_address(text: str) -> str:
    return checked_address(text) if text else text


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """On this machine only."""


class EmailSettings(BaseModel):
    """A mail server and whom to write; no mail without a host."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = Security.STARTTLS
    user: str = ""
    sender: MailAddress = ""
    to: tuple[MailAddress, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not (self.sender and self.to):
            message = "a mail needs sender and to"
            raise ValueError(message)
        if self.host and self.security is Security.NONE and self.host not in LOOPBACK:
            message = "without encryption only this machine may be written to"
            raise ValueError(message)
        return self


class NotifySettings(BaseModel):
    """When a word is sent, and where to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cooldown_days: float = Field(default=3.0, ge=0.0, le=366.0)
    quiet_days: int = Field(default=7, ge=0, le=366)
    silent_looks: int = Field(default=6, ge=0, le=1000)
    items: int = Field(default=50, ge=1, le=200)
    timeout_s: float = Field(default=20.0, gt=0.0, le=300.0)
    stdout: bool = False
    file: Annotated[str, AfterValidator(_inner_path)] = ""
    feed: bool = False
    feed_url: Annotated[str, AfterValidator(_web_address)] = ""
    chat: bool = False
    webhook: bool = False
    email: EmailSettings = EmailSettings()
