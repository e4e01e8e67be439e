"""Sites judged by a Dask cluster leave what one process leaves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import distributed
import orjson
import pytest

from watch.cluster import PROBE, Ground
from watch.conduct import Conduct
from watch.errors import WorkerError
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]
SITES = ("a-yard", "b-yard", "c-yard")


@pytest.mark.filterwarnings("default")  # the cluster's own
def test_two_workers_of_a_cluster_leave_what_one_process_leaves(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = scenes(days)
    snapshots = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        for name, address in (("alone", ""), ("cluster", cluster.scheduler_address)):
            workspace = make_workspace(name)
            file = workspace.catalogue_path / "sites.geojson"
            (feature,) = orjson.loads(file.read_bytes())["features"]
            features = [{**feature, "id": site_id} for site_id in SITES]
            file.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
            add_scenes(workspace, files)
            report = workspace.run(now=now, conduct=Conduct(cluster=address))
            assert report.exit_code == 0
            with workspace.ledger() as ledger:
                snapshots.append(ledger.snapshot())
            assert not (workspace.archive_path / PROBE).exists()
        assert snapshots[0] == snapshots[1]
        assert snapshots[0]["detections"]

        # Workers that don't see the archive are found out before anything is judged.
        other = make_workspace("other")
        add_scenes(other, files[:3])
        monkeypatch.setattr(Path, "write_bytes", lambda *_: 0)
        with pytest.raises(WorkerError, match="can't read the archive of the run"):
            other.run(now=now, conduct=Conduct(cluster=cluster.scheduler_address))


def test_ground_is_common_when_content_and_version_are(tmp_path: Path) -> None:
    probe = tmp_path / PROBE
    probe.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Ground(probe, empty).lacking() == ""
    assert "another version" in Ground(probe, empty, method="older").lacking()
    probe.write_bytes(b"other")
    assert "can't read the archive" in Ground(probe, empty).lacking()


def test_without_the_extra_the_command_says_what_to_install(
    make_workspace: Make, monkeypatch: pytest.MonkeyPatch, sitewatch: Command
) -> None:
    monkeypatch.setitem(sys.modules, "watch.cluster", None)
    root = str(make_workspace("w").root)
    code, _, err = sitewatch("run", "--cluster", "tcp://127.0.0.1:1", "--workspace", root)
    assert code == 1
    assert "pip install 'sitewatch[cluster]'" in err
    code, _, err = sitewatch("run", "--cluster", "tcp://127.0.0.1:1", "--workers", "2", "--workspace", root)
    assert code == 2
    assert "leave --workers out" in err
