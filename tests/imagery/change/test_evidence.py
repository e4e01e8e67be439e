from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from imagery.change.evidence import Evidence, Scored, alone_mode, beside
from imagery.change.null import Null, null_of, stratum

DAY = date(2024, 7, 1)


def evidence(ratio: float = 1.5, later: tuple[float, ...] = ()) -> Evidence:
    found = Evidence("listed", 10.0, is_reflectance=True, raised=Scored(DAY, 30, ratio))
    for position, each in enumerate(later):
        found = found.with_look(date(2024, 7, 6 + position), 31 + position, each)
    return found


def quiet(*, alone: bool = True) -> Null:
    """Return 999 looks of ratios evenly spread between 0 and 2, single ones between 0 and 1."""
    scores = [(stratum("listed", DAY, 30), float(each)) for each in np.linspace(0, 2, 999)]
    if alone:
        mode = alone_mode("listed")
        scores += [(stratum(mode, DAY, 30), float(each)) for each in np.linspace(0, 1, 999)]
    return null_of(scores, source="made up", min_scores=500)


def test_evidence_survives_its_json_and_settles_with_its_last_look() -> None:
    for each in (evidence(), evidence(later=(1 / 3, 2.5))):
        assert Evidence.from_json(json.loads(json.dumps(each.to_json()))) == each
    assert evidence().settled == DAY
    assert evidence(later=(1.0, 2.0)).settled == date(2024, 7, 7)


def test_each_look_stands_beside_quiet_looks_of_its_kind() -> None:
    found = beside(evidence(1.5, later=(0.9, 5.0)), quiet())
    assert found is not None
    assert found.p == pytest.approx(0.25, abs=0.01)
    assert found.p_threshold == pytest.approx(0.5, abs=0.01)
    assert found.later == pytest.approx((0.1, 1 / 1000), abs=0.01)
    assert (found.count, found.source, found.stratum) == (999, "made up", "listed, summer, 24-47 clear looks")
    assert found.words == f"p = {found.p:.2g} among 999 quiet looks ({found.stratum}); made up"


def test_without_quiet_scores_there_is_no_p() -> None:
    assert beside(evidence(), None) is None
    assert beside(Evidence("search", 10.0, is_reflectance=True, raised=Scored(DAY, 30, 2.0)), quiet()) is None
    found = beside(evidence(later=(3.0,)), quiet(alone=False))
    assert found is not None
    assert found.later is None
