"""Which detections of a whole catalogue are discoveries, so that few of them are false.

Detections are tested one after another, in the order of their days, without knowing how many will come.
Each brings an e-value: a number whose mean is at most 1 where nothing happened. The t-th is tested at the
level alpha * gamma(t) * (1 + discoveries so far) and is a discovery when its e-value reaches one over that
level (e-LOND: Z. Xu and A. Ramdas, "Online multiple testing with e-values", AISTATS 2024). However the
e-values depend on each other, the expected share of false ones among the discoveries stays below alpha at
any time: with R discoveries in the end, a false one adds 1 / R <= e * level / R <= e * alpha * gamma(t),
and the gammas add up to 1.

A p-value becomes an e-value by e = kappa * p^(kappa - 1) (V. Vovk and R. Wang, "E-values: calibration,
combination and applications", Annals of Statistics 49, 2021). A detection that is only looked at because
its p fell below a threshold must bring p / threshold instead: `selected`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
from scipy import special

from watch.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALPHA = 0.1
"""Expected share of false ones among the discoveries, at most."""

KAPPA = 0.1
"""Of the calibrator. It is best for p near exp(-1 / kappa), 5e-5: what a discovery needs."""

PLANNED = 100
"""Detections among which half of alpha is shared evenly."""

_FORMAT = "sitewatch-discoveries-1"


def e_value(p: float, *, kappa: float = KAPPA) -> float:
    """Return the e-value of a p-value.

    >>> e_value(1.0, kappa=0.5), e_value(0.01, kappa=0.5)
    (0.5, 5.0)

    Raises:
        ValueError: `p` is not above 0 and at most 1, or `kappa` not between 0 and 1.
    """
    if not (0 < p <= 1 and 0 < kappa < 1):
        message = f"p = {p!r} and kappa = {kappa!r} give no e-value"
        raise ValueError(message)
    return kappa * math.pow(p, kappa - 1)


def selected(p: float, threshold: float) -> float:
    """Return the p-value of a detection that is only tested because `p` was at most `threshold`.

    Where nothing happened P(p <= x, given p <= threshold) is x / threshold.
    """
    return min(p / threshold, 1.0)


def joint_e_value(p_values: Sequence[float], *, kappa: float = KAPPA) -> float:
    """Return the e-value of several looks at one place: the product of their own.

    It is one when each p-value is valid given the looks before it: the first as `selected`, the later ones
    tested at its place and in its direction only. 1 without any look.
    """
    return math.prod(e_value(p, kappa=kappa) for p in p_values)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a detection stands in the order of testing."""

    acquired: date
    """Of the look that settled it."""
    site_id: str
    detection_id: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """A detection and the test that it was put to."""

    place: Place
    e: float
    level: float
    """It is a discovery when `e` reaches one over this."""
    is_discovery: bool


@dataclass(frozen=True, slots=True)
class Account:
    """How much of alpha is spent: all that carries over from one test to the next."""

    alpha: float = ALPHA
    planned: int = PLANNED
    tested: int = 0
    discoveries: int = 0
    last: Place | None = None

    def __post_init__(self) -> None:
        """Refuse what controls nothing.

        Raises:
            ValueError: `alpha` is not between 0 and 1, or no test is planned.
        """
        if not (0 < self.alpha < 1 and self.planned >= 1 and 0 <= self.discoveries <= self.tested):
            message = f"alpha = {self.alpha!r}, {self.planned} planned, {self.discoveries} of {self.tested}"
            raise ValueError(message)

    @property
    def level(self) -> float:
        """The level at which the next detection will be tested."""
        return self.alpha * gamma(self.tested + 1, self.planned) * (1 + self.discoveries)

    def test(self, place: Place, e: float) -> tuple[Account, Tested]:
        """Test the next detection.

        Raises:
            ValueError: It does not come after the last one; start from an empty account and test all anew.
        """
        if self.last is not None and place <= self.last:
            message = f"{place} comes before {self.last}, which was tested already: test all of them anew"
            raise ValueError(message)
        outcome = Tested(place, e, self.level, is_discovery=e * self.level >= 1)
        spent = replace(
            self,
            tested=self.tested + 1,
            discoveries=self.discoveries + outcome.is_discovery,
            last=place,
        )
        return spent, outcome

    def to_bytes(self) -> bytes:
        """Return the account as one line of JSON: equal accounts give equal bytes."""
        last = None if self.last is None else _place_json(self.last)
        document = {
            "format": _FORMAT,
            "alpha": self.alpha,
            "planned": self.planned,
            "tested": self.tested,
            "discoveries": self.discoveries,
            "last": last,
        }
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _place_json(place: Place) -> dict[str, str]:
    return {"acquired": str(place.acquired), "site": place.site_id, "detection": place.detection_id}


def read_account(data: bytes) -> Account:
    """Return the account that `Account.to_bytes` wrote.

    Raises:
        WorkspaceError: It is no such document.
    """
    try:
        record: dict[str, Any] = orjson.loads(data)
        if record["format"] != _FORMAT:
            raise WorkspaceError(f"an unknown format {record['format']!r}", hint=f"Expected {_FORMAT}")
        last = record["last"]
        place = last and Place(date.fromisoformat(last["acquired"]), last["site"], last["detection"])
        return Account(record["alpha"], record["planned"], record["tested"], record["discoveries"], place)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(
            f"not an account of discoveries: {error}", hint="Delete it: all detections are tested anew"
        ) from error


def gamma(position: int, planned: int) -> float:
    """Return the share of alpha for the test at `position`, from 1; over all positions they add up to 1.

    Half of alpha is shared evenly by the planned tests, a quarter by twice as many after them, an eighth by
    four times as many, and so on.

    >>> [gamma(position, 2) for position in (1, 2, 3, 6, 7)]
    [0.25, 0.25, 0.0625, 0.0625, 0.015625]
    """
    block = ((position - 1) // planned + 1).bit_length() - 1
    return math.ldexp(1 / planned, -1 - 2 * block)


def discoveries(
    detections: Iterable[tuple[Place, float]], *, account: Account | None = None
) -> tuple[Account, tuple[Tested, ...]]:
    """Test detections in the order of their places, whatever order they come in.

    Args:
        detections: Each with its e-value.
        account: What was spent before; a new one when absent.

    Raises:
        ValueError: Two stand at one place, or one before what was tested already.
    """
    spent, tested = account or Account(), []
    for place, e in sorted(detections):
        spent, outcome = spent.test(place, e)
        tested.append(outcome)
    return spent, tuple(tested)


@dataclass(frozen=True, slots=True)
class ExpectedFalseAlarms:
    """How many alarms a watched exposure raises though nothing happened."""

    mean: float
    low: int
    """Nineteen times in twenty the number is between this ..."""
    high: int
    """... and this."""


def expected_false_alarms(site_years: float, rate: float) -> ExpectedFalseAlarms:
    """Return how many false alarms to expect.

    Args:
        site_years: Watched time, learning left out.
        rate: False alarms per quiet site-year, measured (`sitewatch evaluate`).

    Raises:
        ValueError: One of them is negative.
    """
    if not (site_years >= 0 and rate >= 0):
        message = f"{site_years} site-years at {rate} alarms a site-year"
        raise ValueError(message)
    mean = site_years * rate
    return ExpectedFalseAlarms(mean, _poisson_quantile(0.025, mean), _poisson_quantile(0.975, mean))


def _poisson_quantile(probability: float, mean: float) -> int:
    """Return the smallest count that a Poisson variable stays at or below with a probability."""
    if not mean:
        return 0
    count = max(math.ceil(float(special.pdtrik(probability, mean))), 0)
    while count and special.pdtr(count - 1, mean) >= probability:
        count -= 1
    return count
