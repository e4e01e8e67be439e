"""What every test lives by: no network but loopback, real data where it is, Chromium where it is."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("sitewatch", deadline=None)
hypothesis.settings.load_profile("sitewatch")

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(what: str) -> None:
    """Skip the test with the reason; in CI, where everything is installed, fail instead."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and nothing may be missing in CI")
    pytest.skip(f"{what} is missing")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - the type is the family's
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            if host not in {"127.0.0.1", "::1", "localhost"}:
                pytest.fail(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real sites and imagery, from SITEWATCH_TEST_DATA (default: ``../shared``)."""
    folder = Path(os.environ.get("SITEWATCH_TEST_DATA", ROOT.parent / "shared"))
    if not (folder / "imagery").is_dir():
        missing(f"test data ({folder}; set SITEWATCH_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that can be driven headless."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    missing("chromium")
    raise AssertionError  # missing() never returns
