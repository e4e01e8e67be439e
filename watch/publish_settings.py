"""What readers may see, as a workspace's user says it: tables ``[publish.NAME]`` of `sitewatch.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from geo.coarse import RADII_M
from geo.errors import Where
from maps.profile import FULL, UNRESTRICTED, Profile
from sites.categories import Category  # noqa: TC001 - pydantic reads it at run time
from sites.watching import WatchMode  # noqa: TC001 - likewise
from watch.errors import WorkspaceError

if TYPE_CHECKING:
    from watch.settings import Settings

USUAL = "public"
"""The profile that is there without a table; every other table starts from it."""


def _radius(value: int) -> int:
    if value and value not in RADII_M:
        raise ValueError(
            f"there is no lattice of {value} m: write 0 or one of {', '.join(map(str, RADII_M))}"
        )
    return value


def _not_full(name: str) -> str:
    if name == UNRESTRICTED:
        raise ValueError(f"{UNRESTRICTED!r} keeps everything and has no table: give it another name")
    return name


Phrase = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
ProfileName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"), AfterValidator(_not_full)
]


class PublishSettings(BaseModel):
    """One profile; what a table does not say is as in ``public``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detections: Literal["confirmed", "all"] = "confirmed"
    private_notes: bool = False
    authors: bool = False
    blur_m: Annotated[int, AfterValidator(_radius)] = 0
    credits: tuple[Phrase, ...] = ()
    licences: tuple[Phrase, ...] = ()
    without_categories: tuple[Category, ...] = ()
    without_statuses: tuple[WatchMode, ...] = ()
    without_flags: tuple[Phrase, ...] = ("private", "sensitive")
    without_sites: tuple[Phrase, ...] = ()

    def profile(self, name: str) -> Profile:
        """Return the profile of a table."""
        return Profile(
            name,
            confirmed_only=self.detections == "confirmed",
            private_notes=self.private_notes,
            authors=self.authors,
            blur_m=self.blur_m,
            credits=self.credits,
            licences=self.licences,
            without_categories=frozenset(self.without_categories),
            without_statuses=frozenset(self.without_statuses),
            without_flags=frozenset(self.without_flags),
            without_sites=frozenset(self.without_sites),
        )


def profile_of(settings: Settings, name: str | None = None) -> Profile:
    """Return the profile of a name, or the one that the settings name.

    Raises:
        WorkspaceError: There is none of that name.
    """
    wanted = settings.profile if name is None else name
    if wanted == UNRESTRICTED:
        return FULL
    tables = {USUAL: PublishSettings(), **settings.publish}
    if wanted not in tables:
        where = Where(field="profile" if name is None else "--publish")
        known = ", ".join([UNRESTRICTED, *sorted(tables)])
        hint = f"Known: {known}. Add a table [publish.NAME] to sitewatch.toml for one of your own"
        raise WorkspaceError(f"no profile {wanted!r}", where=where, hint=hint)
    return tables[wanted].profile(wanted)
