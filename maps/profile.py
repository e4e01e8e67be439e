"""What readers may see: a profile of publication, and the account of what it leaves out.

A profile says what may stay. What it does not know of stays out: values are made anew from fields that
are named one by one (`maps.filtered`), so that a field of tomorrow is not published by itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from geo.coarse import RADII_M
from geo.errors import Where
from maps.errors import PageError
from maps.lengths import length_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sites.categories import Category
    from sites.watching import WatchMode

UNRESTRICTED = "full"
"""Name of the profile that keeps everything but what is marked as never published."""


class Kind(StrEnum):
    """What can be left out."""

    SITE = "site"
    NOTE = "note"
    DETECTION = "detection"
    PICTURE = "picture"
    MEDIUM = "medium"
    AUTHOR = "author"
    PLACE = "place"
    """Coordinates that are made coarse, or taken out of a text."""
    MEMBER = "member"
    """A member of a file that is not ours."""
    EVENT = "event"
    """Of the context: it tells of a site or note that is left out."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a set of pages may hold. The usual values are those of `public`: nothing by oversight."""

    name: str
    confirmed_only: bool = True
    """Only detections that later looks confirmed and nobody dismissed."""
    private_notes: bool = False
    """Whether notes marked private are kept."""
    authors: bool = False
    """Whether it is told who wrote a note or decided on a detection."""
    blur_m: int = 0
    """One of `geo.coarse.RADII_M`; 0 keeps places as they are."""
    credits: tuple[str, ...] = ()
    """Only pictures whose credit holds one of these, in any case of letters; empty allows all."""
    licences: tuple[str, ...] = ()
    """Only media of these licences; empty allows all."""
    without_categories: frozenset[Category] = frozenset()
    without_statuses: frozenset[WatchMode] = frozenset()
    without_flags: frozenset[str] = frozenset({"private", "sensitive"})
    """Sites are left out whose file says so of any of these: ``"sensitive": true``."""
    without_sites: frozenset[str] = frozenset()
    """Their ids, present or former."""

    def __post_init__(self) -> None:
        if self.blur_m and self.blur_m not in RADII_M:
            hint = f"Write 0 or one of {', '.join(map(str, RADII_M))}"
            raise PageError(f"no lattice of {self.blur_m} m", where=Where(field="blur_m"), hint=hint)

    @property
    def is_full(self) -> bool:
        """Whether nothing is taken out but what is never published."""
        return self.name == UNRESTRICTED

    @property
    def words(self) -> tuple[str, ...]:
        """What kinds of things it leaves out, a sentence each; never which."""
        if self.is_full:
            return ()
        left = (
            ("Detections that no later look confirmed, or that somebody dismissed.", self.confirmed_only),
            ("Notes marked as private, and what they replace.", not self.private_notes),
            ("Who wrote notes or decided on detections.", not self.authors),
            (
                f"Exact places: each is told within {length_words(self.blur_m)}, without pictures.",
                self.blur_m,
            ),
            ("Pictures and media that may not be passed on.", self.credits or self.licences),
            ("Some sites.", self._leaves_out_sites),
        )
        return tuple(sentence for sentence, is_left in left if is_left)

    @property
    def statement(self) -> str:
        """The profile and what it leaves out in one text; empty for the one that keeps all."""
        if self.is_full:
            return ""
        return f"Published as {self.name!r}; left out, where there were any: {' '.join(self.words)}"

    @property
    def _leaves_out_sites(self) -> bool:
        return bool(
            self.without_categories or self.without_statuses or self.without_flags or self.without_sites
        )


FULL = Profile(
    UNRESTRICTED, confirmed_only=False, private_notes=True, authors=True, without_flags=frozenset()
)
PUBLIC = Profile("public")


@dataclass(frozen=True, slots=True, order=True)
class Left:
    """One thing that readers don't get."""

    site: str
    kind: Kind
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Everything that a profile took out of a view; for its owner alone."""

    profile: str
    rows: tuple[Left, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind; none of those of which there are none."""
        found = Counter(row.kind for row in self.rows)
        return {str(kind): found[kind] for kind in Kind if found[kind]}

    def beside(self, more: Iterable[Left]) -> LeftOut:
        """Return the account with more rows."""
        return LeftOut(self.profile, tuple(sorted([*self.rows, *more])))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        rows = [{"site": r.site, "kind": str(r.kind), "id": r.id, "why": r.why} for r in self.rows]
        return {"profile": self.profile, "left_out": self.counts, "rows": rows}


def left_out(profile: Profile, rows: Iterable[Left]) -> LeftOut:
    """Return the account, in the order of sites and kinds."""
    return LeftOut(profile.name, tuple(sorted(rows)))
