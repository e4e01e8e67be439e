from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from geo.errors import InputError
from imagery.change.bounds import rate
from imagery.change.card import METHOD
from imagery.change.evidence import NO_NULL, Evidence, Scored, alone_mode
from imagery.change.null import null_of, stratum
from imagery.change.shipped import Shipped
from imagery.change.surety import Surety
from imagery.model import Detection, DetectionState
from watch.certainty import NO_EVIDENCE, reckoning, sure_words, sureties, weighed
from watch.decisions import Decision, Verdict
from watch.false_alarms import ALPHA, e_value
from watch.ledger import Ledger
from watch.nulls import Nulls, chosen_nulls, with_dismissed
from watch.reviews import Reviews, Standing
from watch.weighing import weigh

DAY = date(2024, 7, 1)


@cache
def made_null(looks: int = 9_999, *, candidates: int = 20, probable: int = 10) -> Shipped:
    """Return a null whose ratios are spread evenly: up to 1.25, and up to 1 for single looks."""
    day = stratum("listed", DAY, 30)
    scores = [(day, float(each)) for each in np.linspace(0, 1.25, looks)]
    alone = replace(day, mode=alone_mode("listed"))
    scores += [(alone, float(each)) for each in np.linspace(0, 1, looks)]
    alarms = {"candidate": rate(candidates, 200.0), "probable": rate(probable, 200.0)}
    null = null_of(scores, source="made up", min_scores=50)
    return Shipped("sentinel-2", 10.0, METHOD, null, 100, alarms | {"confirmed": rate(1, 200.0)})


def detection(number: int, ratio: float, later: tuple[float, ...] = (), day: date = DAY) -> Detection:
    evidence = Evidence("listed", 10.0, is_reflectance=True, raised=Scored(day, 30, ratio))
    for k, each in enumerate(later, 1):
        evidence = evidence.with_look(day + timedelta(days=5 * k), 30 + k, each)
    return Detection(
        id=f"det-{number}",
        site_id=f"site-{number}",
        grid_id="g",
        series="sentinel-2",
        state=DetectionState.PROBABLE,
        bracket=f"{day}/{day}",
        last_without=day,
        first_with=day,
        last_with=day,
        looks_with=2,
        geometry=box(125.0, 39.0, 125.001, 39.001),
        area_m2=400.0,
        magnitude=ratio,
        p_value=None,
        evidence=evidence,
    )


SURE = (9.0, 9.0, 9.0)
"""Single looks above every quiet one."""


def test_evidence_is_that_of_the_first_look_from_the_threshold_on_times_that_of_the_later_ones() -> None:
    found = weighed(detection(1, 9.0, (9.0, 0.5)), [made_null()])
    assert found is not None
    first = e_value(1e-4 / found.beside.p_threshold)
    assert found.beside.p_threshold == pytest.approx(0.2, rel=0.01)
    assert found.e == pytest.approx(10.5 / 21 * first * e_value(1e-4) * e_value(0.5), rel=0.01)


def test_a_detection_at_the_threshold_brings_no_evidence_of_its_own() -> None:
    found = weighed(detection(1, 1.0), [made_null()])
    assert found is not None
    assert found.e < 1


def test_discoveries_do_not_depend_on_the_order_in_which_detections_came() -> None:
    many = [
        detection(k, 1.0 + k % 7, SURE if k % 3 else (0.4, 0.7), DAY + timedelta(days=k % 11))
        for k in range(40)
    ]
    first = sureties(many, [made_null()])
    random.Random(5).shuffle(many)
    assert sureties(many, [made_null()]) == first
    assert sum(bool(surety.discovery) for _, surety in first.values()) == sum(k % 3 > 0 for k in range(40))
    levels = [surety.level for _, surety in first.values() if surety.level is not None]
    assert min(levels) == pytest.approx(ALPHA / 2 / 100)


def test_a_scene_that_came_late_tests_all_anew() -> None:
    later = detection(2, 5.0, SURE, DAY + timedelta(days=90))
    alone = sureties([later], [made_null()])["det-2"][1]
    both = sureties([later, detection(1, 5.0, SURE)], [made_null()])["det-2"][1]
    assert alone.level == pytest.approx(ALPHA / 200)
    assert both.level == pytest.approx(2 * ALPHA / 200)


def test_false_discoveries_stay_rare_where_nothing_happened() -> None:
    rng = np.random.default_rng(3)
    null, false = made_null(), 0
    for _ in range(60):
        # Quiet: uniform from the threshold on, and uniform in each later look.
        many = [
            detection(k, float(rng.uniform(1, 1.25)), tuple(map(float, rng.uniform(0, 1, 3))))
            for k in range(25)
        ]
        false += any(surety.discovery for _, surety in sureties(many, [null]).values())
    assert false <= 60 * ALPHA


def test_what_cannot_be_tested_says_why_and_costs_no_level() -> None:
    bare = replace(detection(1, 5.0), evidence=None)
    landsat = replace(detection(2, 5.0), series="landsat")
    found = sureties([bare, landsat, detection(3, 5.0, SURE)], [made_null()])
    assert found["det-1"] == (None, Surety(None, NO_EVIDENCE))
    assert found["det-2"] == (None, Surety(None, f"not tested: {NO_NULL}"))
    assert found["det-3"][1].level == pytest.approx(ALPHA / 200)
    p_value, surety = found["det-3"]
    shown = replace(detection(3, 5.0), p_value=p_value, surety=surety)
    assert sure_words(shown).startswith("p = 0.0001 among 9,999 quiet looks (listed, summer, 24-47 clear")
    assert "made up" in sure_words(shown)
    assert "a discovery" in sure_words(shown)


def test_a_stale_null_speaks_for_nothing() -> None:
    old = replace(made_null(), method="site-0")
    found = sureties([detection(1, 5.0, SURE)], [old])
    assert found["det-1"][1].discovery is None
    assert reckoning(found, [old], {"sentinel-2": 8.1}).expected is None


def test_what_is_expected_follows_from_the_measured_rate() -> None:
    found = reckoning(sureties([detection(1, 5.0, SURE)], [made_null()]), [made_null()], {"sentinel-2": 8.1})
    assert found.expected is not None
    assert found.expected.mean == pytest.approx(0.81)
    assert found.words[0] == (
        "About 0.8 false candidates are to be expected in these 8.1 site-years (0 to 3 in 19 of 20 cases), "
        "at 10 per 100 site-years as measured on 200 simulated ones (6 to 15)."
    )
    assert found.to_json()["tested"] == 1
    none = reckoning({}, [made_null()], {"landsat": 3.0})
    assert (none.words, none.rate, none.other_site_years) == ((), None, 3.0)


def dismissals(*ids: str) -> Reviews:
    noon = datetime(2024, 8, 1, 12, tzinfo=UTC)
    said = {each: Decision(Verdict.DISMISS, "anna", noon, "site-1", each, because="dust") for each in ids}
    return Reviews(standings={each: Standing((decision,)) for each, decision in said.items()})


def test_dismissals_join_the_null_of_their_sensor_and_are_counted() -> None:
    many = [detection(1, 5.0, SURE), replace(detection(2, 5.0), series="landsat")]
    nulls = with_dismissed(Nulls((made_null(),)), many, dismissals("det-1", "det-2"))
    assert nulls.dismissed == 1
    (one,) = nulls.by_sensor
    assert one.null.source == "dismissed by analysts + made up"
    before, after = (sureties(many, each)["det-1"][0] for each in ([made_null()], nulls.by_sensor))
    assert before is not None
    assert after is not None
    assert after > before
    found = reckoning({}, nulls.by_sensor, {}, dismissed=nulls.dismissed)
    assert found.words == ("The scores of 1 dismissed detections are counted among the quiet ones.",)


def test_the_settings_choose_the_null(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(made_null(99).to_bytes())
    assert chosen_nulls("own.json", tmp_path).of("sentinel-2", 10.0) is not None
    assert chosen_nulls("own.json", tmp_path).of("landsat", 30.0) is None
    none = chosen_nulls("none", tmp_path)
    assert (none.by_sensor, none.of("sentinel-2", 10.0)) == ((), None)
    assert "no p-values" in none.notes[0]
    (tmp_path / "old.json").write_bytes(replace(made_null(99), method="site-0").to_bytes())
    assert "remake them" in chosen_nulls("old.json", tmp_path).notes[0]
    with pytest.raises(InputError, match=r"look\.null"):
        chosen_nulls("absent.json", tmp_path)


def test_a_ledger_notes_how_sure_its_detections_are(ledger_place: Path | str) -> None:
    ledger = Ledger.open(ledger_place)
    many = [detection(1, 5.0, SURE), detection(2, 1.0, (0.3,))]
    for each in many:
        with ledger.transaction() as transaction:
            transaction.set_detections(each.site_id, "g", "sentinel-2", [each], run_id="r")
    found = weigh(ledger, Nulls((made_null(),)), dismissals())
    assert (found.tested, found.discoveries) == (2, 1)
    one, two = ledger.detections()
    assert one.surety is not None
    assert two.surety is not None
    assert (one.surety.discovery, two.surety.discovery) == (True, False)
    assert one.p_value == pytest.approx(1e-4, rel=0.01)
    before = ledger.snapshot()
    weigh(ledger, Nulls((made_null(),)), dismissals())
    assert ledger.snapshot() == before
    ledger.close()
