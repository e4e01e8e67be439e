"""What a workspace lets its user set: `sitewatch.toml`, overridden by ``SITEWATCH_*`` variables."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from geo.errors import Where
from watch.errors import WorkspaceError
from watch.notify_settings import NotifySettings
from watch.publish_settings import ProfileName, PublishSettings
from watch.versions import CURRENT_VERSION, VERSION_KEY

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_FILE = "sitewatch.toml"

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]

TEMPLATE = """\
# Settings of this workspace. Every line may be left out; what stands here is the default.
# An environment variable wins over this file: SITEWATCH_RUN__CADENCE_DAYS=10

version = {version}                 # of this folder's layout; `sitewatch upgrade` raises it
title = {title}
statement = {statement}              # one sentence at the head of each page: what it shows, and where
profile = "full"            # what `map` and `run` write of all this: full, public, or a [publish.NAME] below

[run]
cadence_days = 5            # how often a site is due when the site itself does not say
assume_clear = false        # judge images that have no cloud mask as if all of them were clear
stacks = true               # keep what was read and learned of a site, so that the next run costs less

[look]
min_clear_footprint = 0.5   # below this clear share of the footprint a look is Obscured
min_clear_frame = 0.3       # the same for the frame: footprint and the ground around it
season_half_width_days = 45 # no earlier clear look this near in the season of any year: Learning
min_history = 12            # fewer earlier clear looks than this: Learning
max_history = 72            # at most so many, the latest, so that a look costs the same for ever
null = "shipped"            # quiet scores behind p-values: shipped, none, or a file of scripts/make-null

[ledger]
url = ""                    # empty: ledger.sqlite beside this file; or postgresql+psycopg://USER@HOST/DATABASE

[pull]
deployment = "copernicus"   # copernicus, commercial, or custom: then base_url and token_url say where
base_url = ""
token_url = ""
product = "sentinel-2-l2a"
bands = []                  # canonical names; none is the product's usual ones
workers = 4                 # requests at the same time

[budget]
requests_per_month = 10000         # a pull stops before it passes these; 0 is no limit
processing_units_per_month = 10000.0
requests_per_minute = 300          # as fast as a pull asks, all its workers together
processing_units_per_minute = 300.0

[review]
reviewer = ""               # who decides here; empty: git's user.name, else the name of the account

[notify]
cooldown_days = 3.0         # so long after a word about a site further changes there wait
quiet_days = 7              # after so long without news, say how often the sites could be seen; 0: never
silent_looks = 6            # activity that notes expect, not seen on so many judged looks, is news; 0: never
items = 50                  # at most so many are told one by one in a digest
timeout_s = 20.0            # of a mail server or an address
stdout = false              # where nothing else is set, words go to standard output
file = ""                   # digests are added to this file of the workspace
feed = false                # public/feed.xml, an Atom feed
feed_url = ""               # where readers will find it
chat = false                # by apprise; addresses: SITEWATCH_CHAT_URLS, or [chat] urls in credentials.toml
webhook = false             # JSON to SITEWATCH_WEBHOOK_URL, or [webhook] url; _SECRET or secret signs it

[publish.public]            # what readers may see: `sitewatch map --publish public`; docs/publishing.md
detections = "confirmed"    # by later looks, and dismissed by nobody; or all
private_notes = false       # notes marked private
authors = false             # who wrote a note or decided on a detection
blur_m = 0                  # tell places within so many metres only: 1250, 2500, 5000, 10000, ... 80000
credits = []                # pictures only of credits that hold one of these; none allows all
licences = []               # media only of these licences; none allows all
without_categories = []
without_statuses = []       # retired, unplaced, too_vague, search, square, footprint
without_flags = ["private", "sensitive"]   # sites whose file says so: "sensitive": true
without_sites = []          # by id

[notify.email]
host = ""                   # a mail server; password: SITEWATCH_SMTP_PASSWORD, or [smtp] password
port = 587
security = "starttls"       # starttls, tls (port 465), or none: this machine only
user = ""
sender = ""
to = []
"""


def settings_text(title: str, statement: str) -> str:
    """Return the settings file of a new workspace."""
    # A TOML basic string is written like a JSON one.
    return TEMPLATE.format(
        version=CURRENT_VERSION,
        title=json.dumps(title, ensure_ascii=False),
        statement=json.dumps(statement, ensure_ascii=False),
    )


class RunSettings(BaseModel):
    """When sites are due and what is judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cadence_days: int = Field(default=5, ge=1, le=366)
    assume_clear: bool = False
    stacks: bool = True


class LookSettings(BaseModel):
    """How a look is judged; the thresholds are printed with every look that they decide."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_clear_footprint: Fraction = 0.5
    min_clear_frame: Fraction = 0.3
    season_half_width_days: int = Field(default=45, ge=1, le=183)
    min_history: int = Field(default=12, ge=4, le=100)
    max_history: int = Field(default=72, ge=6, le=400)
    null: str = Field(default="shipped", min_length=1)
    """``shipped``, ``none``, or the path of a file, relative to the workspace."""


class LedgerSettings(BaseModel):
    """Where looks and detections are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr = SecretStr("")
    """May hold a password; best given as SITEWATCH_LEDGER__URL."""


class PullSettings(BaseModel):
    """Where images are pulled from; who pulls is said by credentials, which are no setting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deployment: str = "copernicus"
    base_url: str = ""
    token_url: str = ""
    product: str = "sentinel-2-l2a"
    bands: tuple[str, ...] = ()
    workers: int = Field(default=4, ge=1, le=32)


class BudgetSettings(BaseModel):
    """The most that may be spent in a calendar month and in a minute; the free quota of Copernicus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_month: int = Field(default=10_000, ge=0)
    processing_units_per_month: float = Field(default=10_000.0, ge=0.0, allow_inf_nan=False)
    requests_per_minute: int = Field(default=300, ge=1)
    processing_units_per_minute: float = Field(default=300.0, gt=0.0, allow_inf_nan=False)


class ReviewSettings(BaseModel):
    """Who decides on detections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reviewer: str = Field(default="", max_length=120)


class Settings(BaseSettings):
    """All settings of a workspace."""

    model_config = SettingsConfigDict(
        env_prefix="SITEWATCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    title: str = "Sites watched from orbit"
    statement: str = ""
    run: RunSettings = RunSettings()
    look: LookSettings = LookSettings()
    ledger: LedgerSettings = LedgerSettings()
    pull: PullSettings = PullSettings()
    budget: BudgetSettings = BudgetSettings()
    review: ReviewSettings = ReviewSettings()
    notify: NotifySettings = NotifySettings()
    profile: str = Field(default="full", min_length=1)
    """Of the pages that are written where none is asked for."""
    publish: dict[ProfileName, PublishSettings] = Field(default={"public": PublishSettings()})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put arguments before the environment before the file, and read no other place."""
        return init_settings, env_settings, _SettingsFile(settings_cls)


class _SettingsFile(TomlConfigSettingsSource):
    """The file without its version, which is no setting: no variable may override what the folder is."""

    def __call__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__call__().items() if key != VERSION_KEY}


_UNSPOKEN = "ledger"
"""Settings whose values no error repeats."""


def read_settings(path: Path) -> Settings:
    """Read a workspace's settings file.

    Raises:
        WorkspaceError: It is not TOML, or a setting is unknown or out of range.
    """

    class FileSettings(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return FileSettings()
    except tomllib.TOMLDecodeError as error:
        raise WorkspaceError(f"not valid TOML: {error}", where=Where(file=str(path))) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = Where(file=str(path), field=field)
        if first["loc"][0] == _UNSPOKEN:
            raise WorkspaceError(str(first["msg"]), where=where) from None
        raise WorkspaceError(_plain(first), where=where) from error
    except SettingsError as error:
        raise WorkspaceError(f"a variable SITEWATCH_* is not valid: {error}") from None


def _plain(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails, private in some versions
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return "no such setting"
    # A whole table is no value, and somebody may have written an address with a password in it.
    if error["loc"][0] == "notify" and not isinstance(error["input"], int | float | bool):
        return message
    return f"{message} (it is {error['input']!r})"
