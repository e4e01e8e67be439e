from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from imagery.errors import BudgetError
from imagery.provenance import Charge
from watch.budget import Allowance, SpendJournal
from watch.errors import LedgerError

NOVEMBER, DECEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
ONE = Charge(1, 0.25)


def journal(path: Path, *, now: datetime = NOVEMBER, **limits: Any) -> SpendJournal:  # noqa: ANN401 - the fields of Allowance
    return SpendJournal(path, Allowance(**limits), clock=lambda: now)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spend.jsonl"


def test_what_is_asked_counts_by_its_estimate_until_it_is_settled(path: Path) -> None:
    account = journal(path)
    ticket = account.ask("a", ONE)
    assert (account.spent(), account.unsettled()) == (ONE, 1)
    account.settle(ticket, Charge(1, 0.2))
    assert (account.spent(), account.unsettled()) == (Charge(1, 0.2), 0)
    account.settle(account.ask("b", ONE), Charge())
    assert account.spent() == Charge(1, 0.2)


def test_another_reader_sees_the_same(path: Path) -> None:
    first, second = journal(path), journal(path)
    first.settle(first.ask("a", ONE), ONE)
    second.settle(second.ask("b", ONE), ONE)
    assert first.spent() == second.spent() == journal(path).spent() == Charge(2, 0.5)
    assert first.spent_here() == second.spent_here() == ONE


def test_months_are_apart(path: Path) -> None:
    journal(path, processing_units=0.25).ask("a", ONE)
    december = journal(path, now=DECEMBER, processing_units=0.25)
    assert december.spent() == Charge()
    december.ask("b", ONE)
    assert december.spent("2026-11") == december.spent("2026-12") == ONE


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"requests": 3}, "3 of 3 requests are spent, the next request would cost 1"),
        ({"processing_units": 0.75}, "0.75 of 0.75 processing units are spent, .* cost 0.25"),
        ({"processing_units": 0.9}, "0.75 of 0.9 processing units"),
    ],
)
def test_the_limit_is_reached_and_never_passed(path: Path, limits: dict[str, Any], words: str) -> None:
    account = journal(path, **limits)
    for _ in range(3):
        account.settle(account.ask("a", ONE), ONE)
    with pytest.raises(BudgetError, match=words) as caught:
        account.ask("one more", ONE)
    assert caught.value.exit_code == 4
    assert "sitewatch.toml" in str(caught.value)
    assert account.spent() == Charge(3, 0.75)


def test_ten_tenths_are_a_whole(path: Path) -> None:
    account = journal(path, processing_units=1.0)
    for _ in range(10):
        account.ask("a", Charge(1, 0.1))
    with pytest.raises(BudgetError):
        account.ask("a", Charge(1, 0.005))


def test_threads_and_readers_together_do_not_pass_the_limit(path: Path) -> None:
    accounts = [journal(path, requests=25) for _ in range(4)]
    granted, refused = [], []

    def work(account: SpendJournal) -> None:
        for _ in range(10):
            try:
                granted.append(account.ask("a", ONE))
            except BudgetError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(granted), len(refused)) == (25, 15)
    assert len(set(granted)) == 25
    assert journal(path).spent().requests == 25


def test_a_line_that_a_crash_cut_short_was_never_asked(path: Path) -> None:
    account = journal(path)
    account.ask("a", ONE)
    whole = path.read_bytes()
    for length in (1, 20, len(whole) - 1):
        path.write_bytes(whole + whole[:length])
        again = journal(path)
        assert again.spent() == ONE
        again.settle(again.ask("b", ONE), ONE)
        assert journal(path).spent() == Charge(2, 0.5)
        assert all(orjson.loads(line) for line in path.read_bytes().splitlines())


@pytest.mark.parametrize("line", [b"{}\n", b"no json\n", b'{"state": "settled", "ticket": "x"}\n', b"[1]\n"])
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    journal(path).ask("a", ONE)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(LedgerError, match=r"spend\.jsonl, line 2: damaged spend journal"):
        journal(path)


def test_the_line_is_on_the_disk_before_the_request_is_sent(path: Path) -> None:
    journal(path).ask("sentinel-2a_x", ONE)
    (line,) = path.read_bytes().splitlines()
    assert orjson.loads(line)["what"] == "sentinel-2a_x"
