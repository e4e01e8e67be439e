from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from geo.errors import InputError
from imagery.change.null import read_null
from imagery.change.tracks import changed, quiet
from watch.cli.main import app
from watch.evaluate import Evaluation, evaluate, makers, write_evaluation
from watch.simulated import STATEMENT, Design, plans, settings

DESIGN = Design(sites=6, years=0.5, seed=3, history_days=400, sizes_m=((40.0, 40.0),), frame_px=32)


def judged(*, workers: int) -> Evaluation:
    return evaluate(
        plans(DESIGN),
        makers(()),
        statement=STATEMENT,
        settings=settings(DESIGN),
        seed=DESIGN.seed,
        workers=workers,
    )


@pytest.fixture(scope="module")
def alone() -> Evaluation:
    return judged(workers=1)


def test_the_number_of_processes_cannot_be_seen(alone: Evaluation, tmp_path: Path) -> None:
    together = judged(workers=2)
    names = [path.name for path in write_evaluation(alone, tmp_path / "a")]
    write_evaluation(together, tmp_path / "b")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_half_of_the_sites_are_quiet_and_the_rest_change_while_they_are_watched(alone: Evaluation) -> None:
    (tracks,) = alone.tracks.values()
    assert (len(quiet(tracks)), len(changed(tracks))) == (3, 3)
    assert [track.stratum for track in quiet(tracks)] == ["listed", "search", "listed"]
    for track in changed(tracks):
        assert track.change is not None
        assert track.change.side_m == 40
        assert track.looks_after_change()
        assert track.days[0] < track.change.first_day
    assert all(track.site_years <= 0.51 and track.days for track in tracks)


def test_everything_that_is_written_says_that_it_is_simulated(alone: Evaluation, tmp_path: Path) -> None:
    written = write_evaluation(alone, tmp_path)
    assert {path.suffix for path in written} == {".json", ".svg"}
    for path in written:
        assert STATEMENT in path.read_text()
    document = orjson.loads((tmp_path / "evaluation.json").read_bytes())
    assert document["settings"]["data"] == "simulated"
    (card,) = document["detectors"]
    assert card["quiet_sites"] == 3
    assert card["levels"][0]["false_alarms"]["site_years"] == pytest.approx(card["quiet_site_years"])
    assert read_null((tmp_path / "null-season-medians.json").read_bytes()).source == STATEMENT


def test_sites_of_a_design_are_dealt_out_evenly() -> None:
    made = plans(Design(sites=144, seed=1))
    assert len(made) == 144
    assert len({plan.spec.site_id for plan in made}) == 144
    planted = [plan.spec for plan in made if plan.spec.changes]
    cells = [(s.footprint is None, s.changes[0].place.area_m2, s.changes[0].contrast) for s in planted]
    bright = max(cell[2] or () for cell in cells)
    assert len(planted) == 72
    assert {cells.count(cell) for cell in cells if cell[2] == bright} == {4}
    assert {cells.count(cell) for cell in cells if cell[2] != bright} == {2}
    assert plans(Design(sites=144, seed=1)) == made != plans(Design(sites=144, seed=2))


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(InputError, match="season-medians"):
        makers(["guessing"])


def test_the_command_prints_figures_with_their_intervals(tmp_path: Path) -> None:
    arguments = ["evaluate", "--sites", "4", "--years", "0.5", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.output.startswith(STATEMENT)
    assert "season-medians: 2 quiet sites" in done.output
    assert str(tmp_path / "evaluation.json") in done.output
