from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import orjson
import pytest

from sitewatch_hub.faults import quota_used_up
from sitewatch_hub.server import LocalHub
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Command = Callable[..., tuple[int, str, str]]

SPAN = ("--span", "2021-10/2022-05")


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    for name, value in account.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("SITEWATCH_SH_CLIENT_ID", "SITEWATCH_SH_CLIENT_SECRET", "SH_CLIENT_ID", "SH_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.mark.usefixtures("signed_in")
def test_from_nothing_to_a_map(make_hub_workspace: Make, sitewatch: Command, hub: LocalHub) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    code, out, err = sitewatch("pull", *SPAN, *there, "--dry-run")
    assert (code, "18 to pull: about 18 requests" in err) == (0, True)
    assert not hub.journal.entries("/process")
    code, out, _ = sitewatch("pull", *SPAN, *there, "--json")
    document = json.loads(out)
    assert code == 0
    assert [len(site["pulled"]) for site in document["sites"]] == [6, 6, 6]
    assert document["spent"]["requests"] == 18 + 3
    code, out, _ = sitewatch("run", *there, "--now", "2022-06-01", "--json")
    assert code == 0
    looks = json.loads(out)["looks"]
    assert sum(looks.values()) == 18
    assert looks["Failed"] == 0
    code, out, _ = sitewatch("map", *there)
    assert code == 0
    public = Workspace.open(there[1]).public_path
    dossiers = sorted((public / "sites").iterdir())
    assert {path.stem for path in dossiers} == {site["site"] for site in document["sites"]}
    assert all("6 looks" in path.read_text() for path in dossiers)
    secret = hub.client.secret.encode()
    assert not [path for path in public.rglob("*") if path.is_file() and secret in path.read_bytes()]


@pytest.mark.usefixtures("signed_in")
def test_the_budget_stops_a_pull_with_exit_code_4_and_the_next_carries_on(
    make_hub_workspace: Make, sitewatch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_hub_workspace("w", budget="requests_per_month = 5")
    there = ("--workspace", str(workspace.root))
    code, out, err = sitewatch("pull", "market", *SPAN, *there, "--json")
    assert code == 4
    assert "limit of this workspace" in err
    assert len(json.loads(out)["sites"][0]["pulled"]) == 4
    assert len(workspace.archive().scenes()) == 4
    monkeypatch.setenv("SITEWATCH_BUDGET__REQUESTS_PER_MONTH", "50")
    code, out, _ = sitewatch("pull", "market", *SPAN, *there, "--json")
    assert code == 0
    assert len(json.loads(out)["sites"][0]["pulled"]) == 2


@pytest.mark.usefixtures("signed_in")
def test_a_used_up_quota_is_an_end(make_hub_workspace: Make, sitewatch: Command, hub: LocalHub) -> None:
    hub.faults.add(quota_used_up(), nth=3, times=1000)
    workspace = make_hub_workspace("w", pull="workers = 1")
    code, out, err = sitewatch("pull", *SPAN, "--workspace", str(workspace.root), "--json")
    assert code == 4
    assert "quota" in err
    assert "Insufficient processing units" in err
    assert len(hub.journal.entries("/process")) == 3
    assert "quota" in json.loads(out)["stopped"]


@pytest.mark.usefixtures("nobody")
def test_without_credentials_pull_says_what_to_do_and_doctor_is_calm(
    make_hub_workspace: Make, sitewatch: Command
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    code, _, err = sitewatch("pull", *SPAN, *there)
    assert (code, "SITEWATCH_SH_CLIENT_ID" in err) == (1, True)
    code, out, _ = sitewatch("doctor", *there, "--json")
    assert code == 0
    assert {each["what"]: each["state"] for each in json.loads(out)}["credentials"] == "note"


@pytest.mark.usefixtures("signed_in")
def test_doctor_finds_everything_well(make_hub_workspace: Make, sitewatch: Command) -> None:
    code, out, _ = sitewatch("doctor", "--workspace", str(make_hub_workspace("w").root), "--json")
    found = {each["what"]: each["state"] for each in json.loads(out)}
    assert code == 0
    assert set(found.values()) == {"good"}
    assert {"settings", "disk", "libraries", "credentials", "token", "clock", "one pixel", "budget"} <= set(
        found
    )


@pytest.mark.usefixtures("nobody")
def test_doctor_says_what_is_wrong(
    make_hub_workspace: Make, sitewatch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    monkeypatch.setenv("SH_CLIENT_ID", "someone@example.org")
    monkeypatch.setenv("SH_CLIENT_SECRET", "canary-77")
    code, out, err = sitewatch("doctor", *there, "--json")
    assert code == 1
    words = {each["what"]: each["words"] for each in json.loads(out) if each["state"] == "bad"}
    assert "a user name is not a client id" in words["service"]
    assert "canary-77" not in out + err
    monkeypatch.setenv("SITEWATCH_PULL__BASE_URL", "http://192.0.2.1")
    code, out, _ = sitewatch("doctor", *there, "--json")
    assert "base_url" in {each["what"]: each["words"] for each in json.loads(out)}["settings"]


@pytest.mark.parametrize("span", ["2021-13", "../2021", "yesterday"])
@pytest.mark.usefixtures("signed_in")
def test_a_span_without_two_ends_is_refused(make_hub_workspace: Make, sitewatch: Command, span: str) -> None:
    code, _, _ = sitewatch("pull", "--span", span, "--workspace", str(make_hub_workspace("w").root))
    assert code == 2


@pytest.mark.parametrize("command", ["pull", "doctor"])
def test_their_help_is_light(command: str) -> None:
    probe = (
        "import sys\nsys.argv = ['sitewatch', sys.argv[1], '--help']\nfrom watch.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", probe, command], capture_output=True, text=True, check=True)
    assert {"sentinelhub", "requests", "rasterio", "numpy"}.isdisjoint(done.stdout.splitlines()[-1].split())


@pytest.mark.usefixtures("nobody")
def test_no_secret_is_in_any_byte_written(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    secrets = {hub.client.secret}
    monkeypatch.setenv("SH_CLIENT_ID", hub.client.id)
    monkeypatch.setenv("SH_CLIENT_SECRET", hub.client.secret)
    said: list[str] = []
    for command in (
        ("doctor",),
        ("pull", "market", *SPAN),
        ("run",),
        ("map",),
        ("pull", "market", *SPAN, "--json"),
    ):
        said += sitewatch(*command, *there)[1:]
    monkeypatch.setenv("SH_CLIENT_SECRET", "canary-wrong-8")
    said += sitewatch("pull", *SPAN, *there)[1:]
    secrets.add("canary-wrong-8")
    tokens = set(hub.tokens._expiry)
    assert tokens
    written = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    assert any(b"request_key" in data for data in written.values())
    for secret in secrets | tokens:
        assert not [path for path, data in written.items() if secret.encode() in data]
        assert secret not in "".join(said)


@pytest.mark.usefixtures("signed_in")
def test_every_request_of_a_pull_is_settled_in_the_journal(
    make_hub_workspace: Make, sitewatch: Command
) -> None:
    workspace = make_hub_workspace("w")
    sitewatch("pull", "depot", *SPAN, "--workspace", str(workspace.root), "--quiet")
    lines = [orjson.loads(line) for line in (workspace.root / "spend.jsonl").read_bytes().splitlines()]
    asked = {line["ticket"] for line in lines if line["state"] == "asked"}
    assert asked == {line["ticket"] for line in lines if line["state"] == "settled"}
    assert next(line["what"] for line in lines if line["state"] == "asked") == "search"


@pytest.mark.usefixtures("signed_in")
def test_who_watches_a_pull_sees_its_pace_and_what_it_costs(make_hub_workspace: Make, hub: LocalHub) -> None:
    workspace = make_hub_workspace("w", budget="processing_units_per_month = 2500.0")
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "watch.cli.main", "pull", "market", *SPAN]
    command += ["--workspace", str(workspace.root)]
    environment = {**os.environ, "COLUMNS": "160", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # how Linux says that the other side of a terminal is closed
            while part := os.read(screen, 65536):
                shown += part
        os.close(screen)
        out, _ = process.communicate()
    assert process.returncode == 0
    units = sum(entry.units for entry in hub.journal.entries("/api/") if entry.status == 200)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(
        r"6/6 .* [0-9.]+ passes/s, [0-9.]+ MB/s, [0-9.]+ units, [0-9.]+ this month of 2,500", text
    )
    assert f"{units:.2f} this month of 2,500." in out.decode()
    assert re.search(r"6 passes pulled in \d+ s \([0-9.]+ passes/s, [0-9.]+ MB/s\); 7 requests", out.decode())
