from __future__ import annotations

import numpy as np

from imagery.compiled import compiled


@compiled
def running_total(values: np.ndarray, out: np.ndarray) -> None:
    total = 0.0
    for position in range(values.size):
        total += values[position]
        out[position] = total


def test_a_compiled_loop_does_what_its_python_says() -> None:
    values = np.arange(6, dtype=np.float64)
    out = np.empty_like(values)
    running_total(values, out)
    assert out.tolist() == np.cumsum(values).tolist()


def test_dividing_by_nothing_is_infinite_as_in_numpy() -> None:
    @compiled
    def quotient(a: float, b: float) -> float:
        return a / b

    assert quotient(1.0, 0.0) == np.inf
