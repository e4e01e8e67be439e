from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest

from geo.errors import InputError
from imagery.change.card import METHOD
from imagery.change.null import Stratum
from imagery.change.tracks import Alarm, Change, SiteTrack
from watch.evaluate import Evaluation, tracks_document
from watch.null_file import null_file

DAYS = tuple(date(2024, 1, 1) + timedelta(days=5 * k) for k in range(60))
SETTINGS = {"data": "simulated", "sites": 40, "changed_sites": 8, "seed": 7}


def written(path: Path, *, settings: dict[str, object] | None = None) -> Path:
    alarm = Alarm(DAYS[9], probable=DAYS[10], retracted=DAYS[12], score=1.2, later=(0.9, 0.1))
    quiet = [
        SiteTrack(
            f"q-{k}",
            1.5,
            DAYS,
            tuple((k + j) % 50 / 50 for j in range(60)),
            (alarm,) if k == 3 else (),
            None,
            "listed",
            history_looks=30,
            alone=tuple((k * j) % 70 / 70 for j in range(60)),
        )
        for k in range(20)
    ]
    changed = SiteTrack("c", 1.5, DAYS, (99.0,) * 60, (), Change(DAYS[3], DAYS[3], 400.0, 0.2), "listed")
    made = Evaluation("simulated", settings or SETTINGS, {"site": (*quiet, changed)}, ())
    path.write_bytes(orjson.dumps(tracks_document(made)))
    return path


def test_a_null_is_made_of_the_quiet_sites_of_an_evaluation_and_says_so(tmp_path: Path) -> None:
    made = null_file(written(tmp_path / "tracks.json"))
    command = "sitewatch evaluate --sites 40 --changed-sites 8 --seed 7"
    assert made.null.source == f"simulated quiet sites, made by {command}"
    assert (made.method, made.sites) == (METHOD, 20)
    assert made.null.tails[Stratum("listed")].count == 1200
    # The later looks of a quiet candidate are quiet looks too.
    assert made.null.tails[Stratum("listed alone")].count == 1202
    assert min(each.count for each in made.null.tails.values()) >= made.null.min_scores
    events = {level: (each.events, each.site_years) for level, each in made.false_alarms.items()}
    assert events == {"candidate": (1, 30.0), "probable": (1, 30.0), "confirmed": (0, 30.0)}
    assert 0 < made.mean_evidence < 1
    assert null_file(tmp_path / "tracks.json").to_bytes() == made.to_bytes()


def test_records_of_other_data_or_of_no_method_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no simulated sites"):
        null_file(written(tmp_path / "a.json", settings=SETTINGS | {"data": "injected"}))
    path = written(tmp_path / "b.json")
    document = orjson.loads(path.read_bytes())
    del document["method"]
    path.write_bytes(orjson.dumps(document))
    with pytest.raises(InputError, match="--method"):
        null_file(path)
    assert null_file(path, method=METHOD).method == METHOD
    with pytest.raises(InputError, match="evaluate --out"):
        null_file(tmp_path / "absent.json")
