"""What goes wrong with one site costs that site; a run that has to end leaves the rest for the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

import watch.means
from imagery.model import Look
from watch.conduct import Conduct
from watch.errors import LedgerError, UnmaskedError
from watch.ledger import Transaction
from watch.watcher import Watcher, open_watchers
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
SITES = ("east-yard", "west-yard", "yard")


class Ticking:
    """A clock that moves on by a second whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2022, 1, 1, tzinfo=UTC)

    def elapsed_s(self) -> float:
        self.seconds += 1
        return self.seconds

    def wait(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def note(self, event: str, **facts: object) -> None:
        self.events.append({"event": event, **facts})


@pytest.fixture
def workspace(make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]) -> Workspace:
    made = make_workspace("w")
    file = made.catalogue_path / "sites.geojson"
    (feature,) = orjson.loads(file.read_bytes())["features"]
    features = [{**feature, "id": name} for name in SITES]
    file.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    add_scenes(made, scenes(days[:3]))
    return made


def looks(workspace: Workspace) -> dict[str, int]:
    with workspace.ledger() as ledger:
        return {site_id: len(found) for site_id, found in ledger.all_looks().items()}


def test_one_sites_failure_costs_that_site(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, judged = open_watchers, Watcher.judge_pending
    secret = "https://me:hush@example.org/"  # noqa: S105 - opens nothing

    def opening(site: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if site.id == "east-yard":
            raise RuntimeError(secret)
        return opened(site, *args, **kwargs)

    def judging(self: Watcher, **kwargs: Any) -> Any:  # noqa: ANN401
        for count, look in enumerate(judged(self, **kwargs)):
            yield look
            if count == 1 and look.site_id == "west-yard":
                raise ZeroDivisionError

    monkeypatch.setattr(watch.means, "open_watchers", opening)
    monkeypatch.setattr(Watcher, "judge_pending", judging)
    log = Kept()
    report = workspace.run(now=datetime(2022, 1, 1, tzinfo=UTC), conduct=Conduct(log=log))
    assert report.exit_code == 3
    failures = {site.site_id: site.failure for site in report.sites}
    assert failures["yard"] == ""
    assert failures["east-yard"].startswith("RuntimeError: https://***@example.org/ (test_run_faults.py:")
    assert failures["west-yard"].startswith("ZeroDivisionError (")
    assert looks(workspace) == {"west-yard": 2, "yard": 3}
    assert "hush" not in str(log.events)
    assert [each["event"] for each in log.events] == ["run begun", "site failed", "site failed", "site done"]
    monkeypatch.undo()
    # What failed was not examined, so it is due at once.
    again = workspace.run(now=datetime(2022, 1, 2, tzinfo=UTC), due_only=True)
    assert again.exit_code == 0
    assert {site.site_id: site.skipped for site in again.sites} == {
        "east-yard": "",
        "west-yard": "",
        "yard": "not due",
    }
    assert looks(workspace) == dict.fromkeys(SITES, 3)


def test_no_site_is_begun_after_the_deadline_and_those_are_named(workspace: Workspace) -> None:
    now = datetime(2022, 1, 1, tzinfo=UTC)
    report = workspace.run(now=now, conduct=Conduct(deadline=timedelta(seconds=6), clock=Ticking()))
    assert report.exit_code == 3
    assert [site.site_id for site in report.sites if site.left] == ["west-yard", "yard"]
    assert all("deadline" in site.left for site in report.sites[1:])
    assert looks(workspace) == {"east-yard": 3}  # what was begun is brought to its end
    assert workspace.run(now=now, conduct=Conduct(deadline=timedelta(hours=1))).exit_code == 0


def test_a_site_is_planned_as_its_turn_comes(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, events = open_watchers, list[str]()

    def opening(site: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        events.append(f"plan {site.id}")
        return opened(site, *args, **kwargs)

    class Told:
        def site(self, site_id: str, looks: int) -> None:
            events.append(f"{looks} looks at {site_id}")

        def look(self, site_id: str) -> None: ...

    monkeypatch.setattr(watch.means, "open_watchers", opening)
    workspace.run(now=datetime(2022, 1, 1, tzinfo=UTC), due_only=True, progress=Told())
    assert events == [word for name in SITES for word in (f"plan {name}", f"3 looks at {name}")]


def test_the_most_important_site_is_looked_at_first(workspace: Workspace) -> None:
    file = workspace.catalogue_path / "sites.geojson"
    document = orjson.loads(file.read_bytes())
    document["features"][2]["properties"]["watch"]["priority"] = 1
    file.write_bytes(orjson.dumps(document))
    report = workspace.run(
        now=datetime(2022, 1, 1, tzinfo=UTC), conduct=Conduct(deadline=timedelta(0), clock=Ticking())
    )
    assert [site.site_id for site in report.sites] == ["yard", "east-yard", "west-yard"]
    assert all(site.left for site in report.sites)
    assert looks(workspace) == {}


def test_a_run_that_is_asked_to_end_does_so_after_the_look(workspace: Workspace) -> None:
    asked: list[Look] = []

    class Counting:
        def site(self, site_id: str, looks: int) -> None: ...

        def look(self, site_id: str) -> None:
            asked.append(site_id)  # type: ignore[arg-type]  # only the count matters

    now = datetime(2022, 1, 1, tzinfo=UTC)
    halt = Conduct(halt=lambda: "asked to end" if len(asked) >= 4 else "")
    report = workspace.run(now=now, progress=Counting(), conduct=halt)
    assert [site.left for site in report.sites] == ["", "asked to end", "asked to end"]
    assert looks(workspace) == {"east-yard": 3, "west-yard": 1}
    with workspace.ledger() as ledger:
        assert ledger.examined().keys() == {"east-yard"}
    assert workspace.run(now=now).looks.total() == 5


def test_a_ledger_that_cannot_be_written_ends_the_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LedgerError("no space left")

    monkeypatch.setattr(Transaction, "add_look", full)
    with pytest.raises(LedgerError, match="no space"):
        workspace.run(now=datetime(2022, 1, 1, tzinfo=UTC))


def test_unattended_an_image_without_a_mask_costs_the_sites_it_shows(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:2], mask=False))
    now = datetime(2022, 1, 1, tzinfo=UTC)
    with pytest.raises(UnmaskedError):
        workspace.run(now=now)
    (site,) = workspace.run(now=now, due_only=True).sites
    assert "no cloud mask" in site.failure
    assert looks(workspace) == {}


def test_the_report_says_what_took_how_long_and_what_was_planned(workspace: Workspace) -> None:
    report = workspace.run(now=datetime(2022, 1, 1, tzinfo=UTC), conduct=Conduct(clock=Ticking()))
    assert [stage for stage, _ in report.stages] == ["read", "plan", "judge"]
    assert all(seconds > 0 for _, seconds in report.stages)
    assert report.plan is not None
    assert [site.site_id for site in report.plan.due] == list(SITES)
    assert all(site.took_s > 0 for site in report.sites)
