from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watch.errors import JournalError
from watch.journal import MAX_LINE_BYTES, append_line, read_lines


def values(path: Path) -> list[dict[str, object]]:
    return [line.value for line in read_lines(path)[0]]


def test_what_is_added_is_read_in_order_and_nothing_is_there_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    assert read_lines(path) == ((), ())
    for number in range(3):
        append_line(path, {"n": number})
    assert values(path) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [line.number for line in read_lines(path)[0]] == [1, 2, 3]


@given(cut=st.integers(min_value=0, max_value=200))
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_takes_more(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    lines = [{"n": number, "text": "é" * number} for number in range(6)]
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    path.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    found, faults = read_lines(path)
    assert not faults
    assert [line.value for line in found][:kept] == lines[:kept]
    append_line(path, {"n": "last"})
    after, faults = read_lines(path)
    assert not faults
    assert after[-1].value == {"n": "last"}
    assert [line.value for line in after][:-1] == [line.value for line in found]


def test_a_torn_line_is_set_aside_and_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": 2, "text": "half')
    assert values(path) == [{"n": 1}]
    append_line(path, {"n": 3})
    assert values(path) == [{"n": 1}, {"n": 3}]
    assert (tmp_path / "a.jsonl.torn").read_bytes() == b'{"n": 2, "text": "half\n'


def test_a_whole_last_line_without_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}')
    assert values(path) == [{"n": 1}]
    append_line(path, {"n": 2})
    assert values(path) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"[1]",
        b"null",
        b"\xff\xfe",
        b'{"a": NaN}',
        b"[" * 3000,
        b"x" * (MAX_LINE_BYTES + 1),
        b"",
        b"\x00",
    ],
)
def test_a_bad_line_is_refused_by_file_and_number_and_the_others_count(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n' + bad + b'\n{"n": 2}\n')
    found, faults = read_lines(path)
    assert [line.value for line in found] == [{"n": 1}, {"n": 2}]
    (fault,) = faults
    assert (fault.where.file, fault.where.line) == (str(path), 2)
    assert len(str(fault)) < 500


def test_links_and_long_lines_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match=r"link\.jsonl: cannot be written"):
        append_line(tmp_path / "link.jsonl", {"n": 1})
    with pytest.raises(JournalError, match="too long"):
        append_line(tmp_path / "a.jsonl", {"n": "x" * MAX_LINE_BYTES})
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "a.jsonl").exists()


def _write_many(path: Path, name: str) -> None:
    for number in range(40):
        append_line(path, {"name": name, "n": number})


def test_two_processes_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(path, name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = values(path)
    assert len(found) == 80
    for name in ("a", "b"):
        assert [line["n"] for line in found if line["name"] == name] == list(range(40))
