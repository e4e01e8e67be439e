"""Likeness of many short keys to one, by the trigrams they share.

A trigram is three letters in a row. Each weighs as much as it is rare among the keys (inverse
document frequency: Spärck Jones 1972), and two keys are as alike as the cosine between their vectors
of weights (Salton, Wong and Yang 1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Trigrams:
    """An inverted index: which keys hold each trigram."""

    grams: NDArray[np.uint64]
    """``(gram,)``: every trigram once, sorted."""
    starts: NDArray[np.int64]
    """``(gram + 1,)``: where the keys of each begin in `postings`."""
    postings: NDArray[np.int64]
    """Positions of keys, gram by gram."""
    weights: NDArray[np.float64]
    """``(gram,)``: inverse document frequency."""
    norms: NDArray[np.float64]
    """``(key,)``: length of the vector of weights."""

    @classmethod
    def of(cls, keys: Sequence[str]) -> Self:
        """Index keys; they may be none, or empty."""
        codes, owners = _grams(keys)
        grams, starts = np.unique(codes, return_index=True)
        starts = np.append(starts, len(codes)).astype(np.int64)
        counts = np.diff(starts)
        weights = np.log1p(len(keys) / np.maximum(counts, 1))
        squares = np.bincount(owners, np.repeat(weights**2, counts), minlength=len(keys))
        return cls(grams, starts, owners, weights, np.sqrt(np.maximum(squares, 1e-9)))

    def likeness(self, key: str) -> NDArray[np.float64]:
        """Return how alike each key is to this one, ``(key,)``, 0 to 1."""
        total = np.zeros(len(self.norms))
        if not len(self.grams):
            return total
        codes = np.unique(_grams([key])[0])
        found = np.minimum(np.searchsorted(self.grams, codes), len(self.grams) - 1)
        known = self.grams[found] == codes
        # A trigram that no key holds is the rarest there can be.
        square = float((~known).sum()) * float(np.log1p(len(self.norms))) ** 2
        for gram in found[known]:
            weight = float(self.weights[gram]) ** 2
            total[self.postings[self.starts[gram] : self.starts[gram + 1]]] += weight
            square += weight
        return np.asarray(np.minimum(total / (self.norms * max(square, 1e-9) ** 0.5), 1.0), dtype=np.float64)


def _grams(keys: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the trigrams of all keys, sorted, each once a key, and the position of its key.

    A trigram is one number: three code points of 21 bits. Two marks before a key and one after it
    make its beginning count more than its end.
    """
    text = "".join(f"\x01\x01{key}\x02" for key in keys)
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(keys), dtype=np.int64), [len(key) + 3 for key in keys])
    codes = (points[:-2] << np.uint64(42)) | (points[1:-1] << np.uint64(21)) | points[2:]
    inside = owners[:-2] == owners[2:]
    codes, owners = codes[inside], owners[:-2][inside]
    order = np.lexsort((owners, codes))
    codes, owners = codes[order], owners[order]
    is_first = np.ones(len(codes), dtype=bool)
    is_first[1:] = (codes[1:] != codes[:-1]) | (owners[1:] != owners[:-1])
    return codes[is_first], owners[is_first]
