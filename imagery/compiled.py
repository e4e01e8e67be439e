"""The one door to numba: inner loops that NumPy can't fuse, compiled when first called and kept on disk.

Importing numba takes more than a second, so only modules that compute over pixels import this one.
Nothing is reordered (no fast-math), so the same machine gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers; what it does stays what its Python says.

    The machine code is kept beside the source or in the user's cache folder; where neither can be
    written it is made anew in each process.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}
    try:
        return cast("Callable[P, R]", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # numba found no folder for its cache
        return cast("Callable[P, R]", numba.njit(**options)(function))
