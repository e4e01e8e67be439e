from __future__ import annotations

from pathlib import Path

import pytest

from geo.durable import new_directory, replacing, sweep, write_bytes, write_text


def test_replaces_a_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.json"
    write_text(target, "one")
    write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["a.json"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.json"
    write_text(target, "old")

    def broken(_self: Path, _target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "scene"
    with pytest.raises(RuntimeError), new_directory(target) as staging:
        (staging / "red.tif").write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_directory(target) as staging:
        (staging / "red.tif").write_bytes(b"whole")
        assert not target.exists()
    assert (target / "red.tif").read_bytes() == b"whole"
    with pytest.raises(FileExistsError), new_directory(target):
        pass


def test_sweep_takes_only_what_was_left_half_done(tmp_path: Path) -> None:
    (tmp_path / ".scene.abc.part").mkdir()
    (tmp_path / ".scene.abc.part" / "red.tif").write_bytes(b"half")
    (tmp_path / ".a.json.xyz.part").write_bytes(b"half")
    (tmp_path / "kept.part").write_bytes(b"a user's own file")
    assert sweep(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept.part"]


def test_a_stream_takes_a_files_place_only_when_it_ended_well(tmp_path: Path) -> None:
    path = tmp_path / "kept.tar"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"kept.tar": b"old"}
    with replacing(path) as stream:
        stream.write(b"new ")
        stream.write(b"content")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"kept.tar": b"new content"}


def test_a_new_directory_may_take_an_empty_ones_place_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.mkdir()
    with new_directory(path, over_empty=True) as staging:
        (staging / "a").touch()
    assert [file.name for file in path.iterdir()] == ["a"]
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for taken in (path, tmp_path / "link", path / "a"):
        with pytest.raises(FileExistsError), new_directory(taken, over_empty=True):
            pass
