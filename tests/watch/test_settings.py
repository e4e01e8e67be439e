from __future__ import annotations

from pathlib import Path

import pytest

from watch.errors import WorkspaceError
from watch.settings import Settings, read_settings, settings_text


def test_the_written_file_holds_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "sitewatch.toml"
    file.write_text(settings_text("Sites watched from orbit", ""))
    assert read_settings(file).model_dump() == Settings().model_dump()


def test_any_title_survives_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sitewatch.toml"
    title = 'Markets "north" of the \\ river: 시장\n{x}'
    file.write_text(settings_text(title, "a statement"), encoding="utf-8")
    assert read_settings(file).title == title
    assert read_settings(file).statement == "a statement"


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sitewatch.toml"
    file.write_text("[run]\ncadence_days = 7\nassume_clear = true\n")
    monkeypatch.setenv("SITEWATCH_RUN__CADENCE_DAYS", "9")
    monkeypatch.setenv("SITEWATCH_TEST_DATA", "elsewhere")
    settings = read_settings(file)
    assert settings.run.cadence_days == 9
    assert settings.run.assume_clear


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\ncadence_days = 0", r"run\.cadence_days: .*greater than or equal to 1 \(it is 0\)"),
        ("cadence = 3", "cadence: no such setting"),
        ("[look", "not valid TOML"),
        ("[look]\nmin_clear_frame = 'half'", r"look\.min_clear_frame: .*valid number"),
    ],
)
def test_refuses_a_wrong_setting_by_name(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sitewatch.toml"
    file.write_text(text)
    with pytest.raises(WorkspaceError, match=message) as caught:
        read_settings(file)
    assert str(file) in str(caught.value)
