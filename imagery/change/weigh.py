"""What a look says of a change that is already suspected: shown, absent, or it cannot tell.

A directed test, without search: in the candidate's place the bands' contrasts are projected on its
direction, and the likelihood of "it is there" is weighed against "nothing is there". With t the projected
contrast over its error and mu what t would be if the change were there,
    evidence = ln f(t - mu) - ln f(t),      f: Student's t of 5 degrees,
t cut to 0...mu, so that neither a brighter nor a darker look than expected counts as the opposite. The
heavy tails keep one bad look from deciding; where mu is small nothing is decided. A look that shows more
than `TOO_MUCH` times what is expected shows something else (cloud or snow that the mask missed): nothing.

The evidence of looks that cannot tell adds up until it can (A. Wald, "Sequential tests of statistical
hypotheses", Annals of Mathematical Statistics 16(2), 1945, 117-186).
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.matched import whitened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.matched import Reading

DECIDES = math.log(20)
"""Evidence at which a test decides: odds of 20 to 1."""

TOO_MUCH = 2.5
"""Parts of the expected contrast."""

_SURELY = 3.0
_DEGREES = 5.0


class Verdict(StrEnum):
    """What looks say of a change that is suspected."""

    SHOWN = "shown"
    ABSENT = "absent"
    CANNOT_TELL = "cannot tell"


def directed(reading: Reading, expected: Sequence[float], join: NDArray[np.float32]) -> tuple[float, float]:
    """Return t and mu of a reading: the projected contrast over its error, and what is expected of it.

    Args:
        reading: What a look shows in the place.
        expected: Contrast by band of the suspected change.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    want = whitened(reading, expected, join)
    have = whitened(reading, reading.contrast, join)
    weight = join.astype(np.float64)
    mu = math.sqrt(max(float(want @ weight @ want), 0.0))
    return (float(want @ weight @ have) / mu if mu > 0 else 0.0), mu


def weigh(reading: Reading, expected: Sequence[float], join: NDArray[np.float32]) -> float:
    """Return the log likelihood ratio of "it is there" over "nothing is there"; 0 where unseen."""
    if not reading.is_known:
        return 0.0
    t, mu = directed(reading, expected, join)
    return log_ratio(t, mu)


def log_ratio(t: float, mu: float) -> float:
    """Return the evidence of a standardised contrast `t` where `mu` is expected.

    >>> log_ratio(5.0, 10.0)
    0.0
    >>> log_ratio(20.0, 10.0) == -log_ratio(-3.0, 10.0)
    True
    >>> log_ratio(40.0, 10.0)
    0.0
    """
    if t > TOO_MUCH * mu + _SURELY:
        return 0.0
    cut = min(max(t, 0.0), mu)
    return (_DEGREES + 1) / 2 * (math.log1p(cut**2 / _DEGREES) - math.log1p((cut - mu) ** 2 / _DEGREES))


def verdict(total: float) -> Verdict:
    """Return what so much evidence decides."""
    if total >= DECIDES:
        return Verdict.SHOWN
    return Verdict.ABSENT if total <= -DECIDES else Verdict.CANNOT_TELL
