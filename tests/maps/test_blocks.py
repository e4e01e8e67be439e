from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maps.blocks import chunks, element, packed, unpacked
from maps.offline import problems

VALUES = st.recursive(
    st.text() | st.integers(-(2**53), 2**53) | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
@example("</script><!--\u2028\u2029&amp;")
@example({"</script>": ["<", ">", "&"]})
def test_any_text_comes_back_and_none_can_leave_the_element(value: object) -> None:
    text = packed(value)
    assert unpacked(text) == value
    assert problems(element("a", text)) == []


def test_half_of_a_character_pair_does_not_stop_a_page() -> None:
    assert unpacked(packed({"a\ud800": ["b\udfff"]})) == {"a\ufffd": ["b\ufffd"]}


def test_a_block_carries_no_time_and_no_system() -> None:
    member = base64.b64decode(packed([1]))
    assert member[:4] == b"\x1f\x8b\x08\x00"
    assert member[4:8] == b"\x00\x00\x00\x00"
    assert member[9] == 255
    assert gzip.decompress(member) == b"[1]"


@given(st.lists(st.binary()), st.integers(1, 60))
def test_chunks_hold_every_row_once_and_are_closed_when_full(rows: list[bytes], limit: int) -> None:
    runs = list(chunks(rows, limit))
    assert [row for run in runs for row in run] == rows
    for run in runs:
        assert sum(map(len, run[:-1])) < limit
    for run in runs[:-1]:
        assert sum(map(len, run)) >= limit


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "AAA\nAAA", "A===", "=AAA", "AA AA", "<b>", "&amp;", "../x", "가"]
)
def test_only_base64_may_stand_in_a_compressed_block(text: str) -> None:
    assert problems(f'<script type="application/gzip" id="a">{text}</script>')
