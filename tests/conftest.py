"""What every test lives by: no network but loopback, real data where it is, Chromium where it is."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("sitewatch", deadline=None)
hypothesis.settings.load_profile("sitewatch")

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

PASSWORD = "canary/p%w@rd:1"  # noqa: S105 - of a server that is thrown away
"""Of the test server; no output may hold it."""

_LANGUAGE = ("-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
"""Texts sort as an English dictionary has them, and not by code point as in SQLite."""


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


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[int]:
    """Start a throw-away PostgreSQL of Debian's on loopback, with a password; yield its port."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        missing("a PostgreSQL server (apt-get install postgresql)")
    programs = folders[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    owner = pwd.getpwuid(folder.stat().st_uid).pw_name
    secret = folder / "password"
    secret.write_text(PASSWORD)
    shutil.chown(secret, owner)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def call(program: str, *arguments: str) -> None:
        command = [*prefix, str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={folder} -c fsync=off"
    call("initdb", "-A", "scram-sha-256", f"--pwfile={secret}", "-U", "postgres", "--no-sync", *_LANGUAGE)
    call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield port
    call("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def postgresql(postgresql_server: int) -> Iterator[str]:
    """Return the URL of an empty PostgreSQL database."""
    server = sa.URL.create(
        "postgresql+psycopg", "postgres", PASSWORD, "127.0.0.1", postgresql_server, "postgres"
    )
    name = f"t{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()
