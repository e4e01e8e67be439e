from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from imagery.change.card import Card
from imagery.model import Detection, Look
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]


def test_list_show_dismiss_confirm_mute_retract(
    reviewed: Workspace, detection: Detection, sitewatch: Sitewatch
) -> None:
    where = ("--workspace", str(reviewed.root))
    code, out, _ = sitewatch("review", "list", *where)
    assert code == 0
    assert detection.id in out
    assert "1 of 1 want a word" in out
    code, out, _ = sitewatch("review", "dismiss", "det-0", "--because", "dust", "--by", "anna", *where)
    assert (code, out) == (0, f"{detection.id}: dismissed by anna (--by).\n")
    code, out, _ = sitewatch("review", "dismiss", "det-0", "--because", "dust", "--by", "anna", *where)
    assert "it was said already" in out
    code, out, _ = sitewatch("review", "list", *where)
    assert "0 detections shown" in out
    assert "1 dismissed by all who spoke" in out
    note = ("--note", "A hall.", "--source", "outlet=NK Econ Watch;reliability=B")
    code, out, _ = sitewatch("review", "confirm", "det-0", *note, "--by", "bo", "--json", *where)
    assert code == 0
    assert json.loads(out)["note"] == detection.id
    code, out, _ = sitewatch("review", "list", "--json", *where)
    (waiting,) = json.loads(out)
    assert (waiting["word"], waiting["state"]) == ("disputed", "probable")
    assert [each["by"] for each in waiting["decisions"]] == ["anna", "bo"]
    assert sitewatch("review", "mute", "yard", "--until", "2999-01-01", "--by", "bo", *where)[0] == 0
    code, out, _ = sitewatch("review", "list", "--all", *where)
    assert "muted until 2999-01-01" in out
    assert "disputed" not in sitewatch("review", "list", *where)[1]
    for subject, name in (("det-0", "anna"), ("yard", "bo")):
        assert sitewatch("review", "retract", subject, "--by", name, *where)[0] == 0
    code, out, _ = sitewatch("review", "show", "det-0", *where)
    assert code == 0
    assert "confirmed by bo" in out
    assert "not there on 2021-04-17, there on 2021-05-03" in out
    assert "SIMULATED" in out


def test_show_tells_intervals_kind_flags_and_the_card(
    reviewed: Workspace,
    detection: Detection,
    put: Callable[..., None],
    make_look: Callable[..., Look],
    sitewatch: Sitewatch,
) -> None:
    known = replace(
        detection,
        grid_id="grid-2",
        date_interval_90="2021-04-20/2021-05-01",
        area_interval_m2=(30_000.0, 35_000.0),
        kind="brighter",
        flags=("dust fits, too",),
    )
    card = Card("Changed", ("it stands out",), ("dust",), {"decision": {"ratio": 2.5}})
    looks = [make_look(day, grid_id="grid-2", card=card) for day in (known.last_without, known.first_with)]
    put(reviewed, [])
    put(reviewed, [known], looks)
    where = ("--workspace", str(reviewed.root))
    code, out, _ = sitewatch("review", "show", "det-0", *where)
    assert code == 0
    for words in (
        "changed between 2021-04-20 and 2021-05-01 with 90 %",
        "about 32,400 m2 (with 90 % 30,000 to 35,000); 2.50 times its threshold",
        "looks like: brighter",
        "but note: dust fits, too",
        "  because it stands out",
        "  although dust",
        "  ratio: 2.5",
    ):
        assert words in out
    shown = json.loads(sitewatch("review", "show", "det-0", "--json", *where)[1])
    assert [look["card"]["why"] for look in shown["looks"]] == [["it stands out"]] * 2
    sitewatch("review", "confirm", "det-0", "--note", "A hall.", "--by", "anna", *where)
    (note,) = reviewed.catalogue().get("yard").observations
    assert note.measurement is not None
    assert (note.measurement.low, note.measurement.high) == (30_000.0, 35_000.0)


def test_what_is_refused_changes_nothing(reviewed: Workspace, sitewatch: Sitewatch) -> None:
    where = ("--workspace", str(reviewed.root))
    for arguments in (
        ("show", "det-unknown"),
        ("dismiss", "det-0", "--because", " "),
        ("dismiss", "", "--because", "dust"),
        ("dismiss", "det-0", "--because", "dust", "--by", "a\nb"),
        ("mute", "yard", "--until", "soon"),
        ("mute", "nowhere", "--until", "2999-01-01"),
        ("retract", "det-0", "--by", "anna"),
        ("confirm", "det-0", "--note", ""),
        ("confirm", "det-0", "--note", "x", "--expects", "miracles"),
        ("list", "--state", "likely"),
        ("list", "--since", "2021"),
    ):
        code, _, err = sitewatch("review", *arguments, *where)
        assert code == 2, arguments
        assert err.startswith("sitewatch: ")
    assert list(reviewed.reviews_path.iterdir()) == []
    assert reviewed.catalogue().get("yard").observations == ()


def test_words_survive_a_detection_that_is_gone(
    reviewed: Workspace, detection: Detection, put: Callable[..., None], sitewatch: Sitewatch
) -> None:
    where = ("--workspace", str(reviewed.root))
    sitewatch("review", "dismiss", "det-0", "--because", "dust", "--by", "anna", *where)
    put(reviewed, [])
    code, out, _ = sitewatch("review", "list", *where)
    assert "1 decision on detections that are gone (--orphans)" in out
    code, out, _ = sitewatch("review", "list", "--orphans", "--json", *where)
    assert code == 0
    assert [each["detection"] for each in json.loads(out)] == [detection.id]
    assert sitewatch("review", "retract", "det-0", "--by", "anna", *where)[0] == 0
    assert json.loads(sitewatch("review", "list", "--orphans", "--json", *where)[1]) == []


def test_a_refused_line_is_named_and_the_code_says_so(reviewed: Workspace, sitewatch: Sitewatch) -> None:
    (reviewed.reviews_path / "anna.jsonl").write_text('{"by": "anna"}\n')
    code, _, err = sitewatch("review", "list", "--workspace", str(reviewed.root))
    assert code == 3
    assert "anna.jsonl, line 1" in err


def test_dismissed_lists_scores(reviewed: Workspace, sitewatch: Sitewatch) -> None:
    where = ("--workspace", str(reviewed.root))
    sitewatch("review", "dismiss", "det-0", "--because", "dust", "--by", "anna", *where)
    code, out, _ = sitewatch("review", "dismissed", "--json", *where)
    assert code == 0
    (row,) = json.loads(out)
    assert (row["score"], row["because"], row["by"]) == (2.5, ["dust"], ["anna"])


def test_the_picture_shows_before_and_after_with_the_place_outlined(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    put: Callable[..., None],
    detection: Detection,
    sitewatch: Sitewatch,
    tmp_path: Path,
) -> None:
    workspace = make_workspace("w")
    days = [date(2021, 4, 17), date(2021, 5, 3)]
    add_scenes(workspace, scenes(days))
    workspace.run(now=datetime.fromisoformat("2021-06-01T00:00:00Z"))
    with workspace.ledger() as ledger:
        first: Look = ledger.looks("yard")[0]
    real = replace(detection, grid_id=first.grid_id, series=first.series)
    put(workspace, [real])
    where = ("--workspace", str(workspace.root))
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in pictures:
        code, out, _ = sitewatch("review", "show", "det-0", "--picture", str(path), *where)
        assert code == 0
        assert out.endswith(f"{path}\n")
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    image = np.asarray(Image.open(io.BytesIO(pictures[0].read_bytes())).convert("RGB"))
    outlined = (image == (236, 0, 140)).all(axis=-1)
    half = image.shape[1] // 2
    assert outlined[:, :half].sum() == outlined[:, half:].sum() > 20
    rows, columns = np.nonzero(outlined[:, :half])
    # Around 180 m of a frame of 600 m and more, and not along its rim.
    assert (rows.max() - rows.min()) < 0.4 * half
    assert (columns.max() - columns.min()) < 0.4 * half
