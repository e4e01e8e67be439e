from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from geo.dates import parse_span
from geo.errors import InputError
from imagery.change.null import read_null
from imagery.change.scorecard import scorecard
from imagery.change.tracks import Change, SiteTrack, changed, quiet
from watch import trials_injected
from watch.cli.evaluation_tables import print_comparison, print_evaluation
from watch.cli.main import app
from watch.cli.output import Output
from watch.evaluate import Evaluation, evaluate, makers, plain, write_evaluation
from watch.evaluation_rows import NAME, EvaluationRows
from watch.simulation import Planted, simulate_workspace
from watch.trials_simulated import STATEMENT, Design, plans, settings
from watch.workspace import Workspace

DESIGN = Design(sites=4, years=0.5, seed=3, history_days=400, sizes_m=((40.0, 40.0),), frame_px=32)


def judged(*, workers: int) -> Evaluation:
    return evaluate(
        plans(DESIGN),
        makers(["season-medians"]),
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
    assert (len(quiet(tracks)), len(changed(tracks))) == (2, 2)
    assert [track.stratum for track in quiet(tracks)] == ["listed", "search"]
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
    assert card["quiet_sites"] == 2
    assert card["levels"][0]["false_alarms"]["site_years"] == pytest.approx(card["quiet_site_years"])
    records = orjson.loads((tmp_path / "tracks.json").read_bytes())["tracks"]["season-medians"]
    assert [record["site_id"] for record in records] == [
        track.site_id for track in alone.tracks["season-medians"]
    ]
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


def test_the_share_of_changed_sites_can_be_said_and_changes_no_site() -> None:
    half, few = plans(Design(sites=12, seed=1)), plans(Design(sites=12, seed=1, changed_sites=3))
    assert [bool(plan.spec.changes) for plan in few] == [False] * 9 + [True] * 3
    assert few[:6] == half[:6]
    assert few[9:] == half[6:9]
    assert settings(Design(sites=12, seed=1, changed_sites=3))["changed_sites"] == 3
    done = CliRunner().invoke(app, ["evaluate", "--sites", "4", "--changed-sites", "3"])
    assert isinstance(done.exception, InputError)


def test_an_evaluation_that_was_stopped_goes_on_where_it_stood(alone: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / NAME
    names = ["season-medians"]
    rows = EvaluationRows(path, settings(DESIGN), names)
    for track in alone.tracks["season-medians"][:3]:
        rows.add({"season-medians": plain(track)})
    with path.open("ab") as stream:
        stream.write(b'{"season-medians": {"site_id": "torn')
    told: list[int] = []
    again = evaluate(
        plans(DESIGN),
        makers(names),
        statement=STATEMENT,
        settings=settings(DESIGN),
        seed=DESIGN.seed,
        progress=lambda done, _all, _site: told.append(done),
        rows=EvaluationRows(path, settings(DESIGN), names),
    )
    assert told == [4]
    assert repr(again) == repr(alone)
    assert len(EvaluationRows(path, settings(DESIGN), names).known) == 4
    assert EvaluationRows(path, settings(replace(DESIGN, seed=4)), names).known == ()


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


def test_sites_that_nothing_could_judge_are_told_without_figures(capsys: pytest.CaptureFixture[str]) -> None:
    change = Change(date(2022, 5, 1), date(2022, 5, 1), 400.0, 0.15)
    tracks = tuple(SiteTrack(name, 0.0, (), (), change=each) for name, each in (("a", None), ("b", change)))
    cards = (scorecard("none", tracks, seed=0),)
    told = Evaluation("what the data are", {}, {"none": tracks}, cards)
    print_evaluation(told, Output())
    print_comparison(told, Output())
    said = capsys.readouterr().out
    assert "nan" not in said and "inf" not in said
    assert "Nothing was judged" in said and "sitewatch looks SITE" in said
    assert "No comparison at one false-alarm rate" in said


def test_roofs_are_put_into_the_looks_of_a_workspace(tmp_path: Path) -> None:
    simulate_workspace(
        tmp_path, parse_span("2022-03/2022-08"), sites=1, seed=2, planted=Planted.NONE, frame_px=64
    )
    workspace = Workspace.open(tmp_path)
    made = trials_injected.plans(workspace, seed=1)
    assert [plan.side_px for plan in made] == [None, *trials_injected.SIDES_PX]
    asis, roof = made[0].trial(), made[4].trial()
    assert asis.change is None
    assert roof.change is not None
    assert roof.change.area_m2 == 1600
    first = [chip.solar_day < roof.change.first_day for chip in roof.monitored]
    same = [np.array_equal(a.dn, b.dn) for a, b in zip(asis.monitored, roof.monitored, strict=True)]
    assert first == same
    assert not all(same)
    assert len(asis.history) > 10
    assert roof.ground is not None
    assert roof.ground.centroid.within(roof.ground.envelope)
    after = next(k for k, day in enumerate(first) if not day)
    added = roof.monitored[after].dn.astype(int) - asis.monitored[after].dn
    weights = roof.monitored[after].grid.weights(roof.ground)
    assert np.corrcoef(added[2].ravel(), weights.ravel())[0, 1] > 0.85
    assert trials_injected.statement(workspace) == trials_injected.ALL_SIMULATED


def test_a_workspace_without_images_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "empty", title="t", statement="", builtin=False)
    with pytest.raises(InputError, match="no site of"):
        trials_injected.plans(workspace, seed=1)


def taizhou(test_data: Path) -> list[str]:
    folder = test_data / "imagery" / "landsat-taizhou-pair"
    names = ("taizhou_2000-03-17", "taizhou_2003-02-06", "label_change", "label_unchanged")
    before, after, changed, unchanged = (str(folder / f"{name}.tif") for name in names)
    return ["evaluate", "labelled", "--pair", before, after, "--labels", changed, unchanged]


def test_the_labelled_pair_is_judged(test_data: Path) -> None:
    done = CliRunner().invoke(app, [*taizhou(test_data), "--json"])
    assert done.exit_code == 0, done.output
    figures = orjson.loads(done.stdout)["figures"]
    assert (figures["changed_px"], figures["unchanged_px"]) == (4227, 17163)
    assert figures["f1"] >= 0.95
    assert figures["auc"] >= 0.997
    assert 0 < figures["auc_error"] < 0.001


def test_a_pair_without_labels_or_of_other_pixels_is_refused(test_data: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    with pytest.raises(InputError, match="two rasters of labels"):
        runner.invoke(app, ["evaluate", "labelled"], catch_exceptions=False)
    broken = taizhou(test_data)
    broken[-1] = broken[3]
    with pytest.raises(InputError, match="instead of"):
        runner.invoke(app, broken, catch_exceptions=False)
    broken[-1] = str(tmp_path / "none.tif")
    with pytest.raises(InputError, match="not a raster"):
        runner.invoke(app, broken, catch_exceptions=False)


def known_tracks(*, quiet_sites: int, changed_sites: int) -> list[SiteTrack]:
    """Return sites whose scores rise by ten on the day a roof is built."""
    rng = np.random.default_rng(0)
    days = tuple(date(2023, 1, 1) + timedelta(days=10 * k) for k in range(40))
    made = []
    for k in range(quiet_sites + changed_sites):
        scores = rng.normal(size=len(days))
        change = None
        if k >= quiet_sites:
            change = Change(days[20], days[20], (20.0, 40.0)[k // 2 % 2] ** 2, 0.15)
            scores[20:] += 10
        made.append(
            SiteTrack(f"s{k}", 1.1, days, tuple(scores.tolist()), (), change, ("listed", "search")[k % 2])
        )
    return made


def test_detectors_are_compared_in_one_table(alone: Evaluation, capsys: pytest.CaptureFixture[str]) -> None:
    card = scorecard("one", known_tracks(quiet_sites=60, changed_sites=24), seed=0)
    two = replace(alone, cards=(card, replace(card, detector="another")))
    print_comparison(two, Output(json=False, quiet=False))
    shown = capsys.readouterr().out
    assert "At one false-alarm rate" in shown
    rows = [line for line in shown.splitlines() if line.startswith(("one", "another"))]
    assert len(rows) == 4


def test_too_few_sites_to_compare_are_said_to_be_so(
    alone: Evaluation, capsys: pytest.CaptureFixture[str]
) -> None:
    print_comparison(alone, Output(json=False, quiet=False))
    assert "No comparison at one false-alarm rate" in capsys.readouterr().out
