"""Lengths as a reader says them."""

from __future__ import annotations

_KM = 1000


def length_words(length_m: float) -> str:
    """Return a length as a reader says it.

    >>> length_words(500), length_words(2500)
    ('500 m', '2.5 km')
    """
    return f"{length_m / _KM:g} km" if length_m >= _KM else f"{length_m:g} m"
