"""The pictures of one site: each look once, with what is outlined on them and what may be compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from maps.composites import shared_stretch
from maps.errors import PageError
from maps.pictures import BeforeAfter, Picture, ground_rings, outlined, picture

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from imagery.model import Chip, Detection
    from maps.drawing import Rings


@dataclass(frozen=True, slots=True)
class Album:
    """The pictures of one site, and nothing of any other."""

    site_id: str
    place: str
    """Where that is, in words; stands by every picture."""
    pictures: tuple[Picture, ...] = ()
    """Oldest first, each look once."""
    pairs: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    """Keys of the pictures before and after, by the detection's id."""
    latest: str | None = None
    """Key of the latest clear look."""
    outlines: Mapping[str, Rings] = field(default_factory=dict, hash=False)
    """What changed, by the detection's id: metres in the CRS of the pair's lattice."""
    clear_looks: int = 0
    """How many looks were clear enough to be shown: what the pictures were chosen from."""

    def __post_init__(self) -> None:
        """Refuse pictures of another place.

        Raises:
            PageError: A picture is of another site, stands twice, or is named and not there; or a pair lies
                on two lattices.
        """
        for each in self.pictures:
            if each.site_id != self.site_id:
                message = (
                    f"a picture of site {each.site_id!r} ({each.solar_day}) was given to {self.site_id!r}"
                )
                raise PageError(message)
        keys = [each.key for each in self.pictures]
        if len(set(keys)) != len(keys):
            message = f"site {self.site_id!r} has a picture twice"
            raise PageError(message)
        named = {key for pair in self.pairs.values() for key in pair} | ({self.latest} - {None})
        if named - set(keys):
            message = f"site {self.site_id!r} has no picture {min(map(str, named - set(keys)))}"
            raise PageError(message)
        for detection in self.pairs:
            self.before_after(detection)

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    @property
    def size_bytes(self) -> int:
        """What the pictures take."""
        return sum(len(each.png) + len(each.veil) for each in self.pictures)

    def picture(self, key: str) -> Picture:
        """Return the picture of a key.

        Raises:
            PageError: There is none.
        """
        for each in self.pictures:
            if each.key == key:
                return each
        message = f"site {self.site_id!r} has no picture {key}"
        raise PageError(message)

    def before_after(self, detection_id: str) -> BeforeAfter:
        """Return the pair around a detection, its outline on both."""
        before, after = (self.picture(key) for key in self.pairs[detection_id])
        ground = self.outlines.get(detection_id, ())
        same = before.stretch == after.stretch if not before.is_shared else after.is_shared
        return BeforeAfter(outlined(before, ground), outlined(after, ground), same_stretch=same)

    def only(self, keys: Collection[str]) -> Album:
        """Return the album with the pictures of some keys; a pair stays only whole."""
        pairs = {name: pair for name, pair in self.pairs.items() if set(pair) <= set(keys)}
        return replace(
            self,
            pictures=tuple(each for each in self.pictures if each.key in keys),
            pairs=pairs,
            latest=self.latest if self.latest in keys else None,
            outlines={name: rings for name, rings in self.outlines.items() if name in pairs},
        )

    def brief(self) -> Album:
        """Return the pairs around detections and the latest look alone."""
        wanted = {key for pair in self.pairs.values() for key in pair} | ({self.latest} - {None})
        return self.only({key for key in wanted if key is not None})


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A chip that gets a picture, and how its look ended."""

    chip: Chip
    outcome: str


def make_album(
    site_id: str, place: str, shots: Sequence[Shot], found: Iterable[Detection] = (), *, clear_looks: int = 0
) -> Album:
    """Draw the chips of a site; those of one series share one stretch where their values can be compared.

    Args:
        site_id: Whose chips they are.
        place: Where that is, in words.
        shots: Its chips.
        found: Its detections; those with both chips around them get a pair.
        clear_looks: How many looks the chips were chosen from.

    Raises:
        PageError: A chip is of another site.
    """
    pictures = sorted(_drawn(shots), key=lambda each: (each.solar_day, each.series, each.grid_id))
    by_key = {each.key: each for each in pictures}
    grids = {shot.chip.grid.grid_id: shot.chip.grid for shot in shots}
    pairs, outlines = {}, {}
    for detection in found:
        days = detection.last_without, detection.first_with
        before, after = (f"{day.isoformat()}.{detection.series}.{detection.grid_id}" for day in days)
        if before in by_key and after in by_key:
            pairs[detection.id] = before, after
            outlines[detection.id] = ground_rings(detection.geometry, grids[detection.grid_id])
    latest = max(shots, key=lambda shot: (shot.chip.acquired, shot.chip.series), default=None)
    return Album(
        site_id=site_id,
        place=place,
        pictures=tuple(pictures),
        pairs=pairs,
        latest=None if latest is None else _key(latest.chip),
        outlines=outlines,
        clear_looks=clear_looks,
    )


def _key(chip: Chip) -> str:
    return f"{chip.solar_day.isoformat()}.{chip.series}.{chip.grid.grid_id}"


def _drawn(shots: Sequence[Shot]) -> list[Picture]:
    by_series: defaultdict[tuple[str, str], list[Shot]] = defaultdict(list)
    for shot in shots:
        by_series[shot.chip.series, shot.chip.grid.grid_id].append(shot)
    drawn = []
    for group in by_series.values():
        stretch = shared_stretch([shot.chip for shot in group])
        drawn += [
            replace(picture(shot.chip, stretch), is_shared=stretch is not None, outcome=shot.outcome)
            for shot in group
        ]
    return drawn
