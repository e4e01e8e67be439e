from __future__ import annotations

from pathlib import Path

import pytest

from imagery.errors import CredentialsError
from imagery.sentinelhub.credentials import Credentials
from watch.credentials import credentials_paths, find_credentials

SECRET = "canary-4242"  # noqa: S105 - what must not be seen anywhere
OURS = {"SITEWATCH_SH_CLIENT_ID": "ours-12345678", "SITEWATCH_SH_CLIENT_SECRET": SECRET}
THEIRS = {"SH_CLIENT_ID": "theirs-12345678", "SH_CLIENT_SECRET": SECRET}


def write(path: Path, text: str = "", mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        text or f'[sentinelhub]\nclient_id = "from-file-{path.parent.name}"\nclient_secret = "{SECRET}"\n'
    )
    path.chmod(mode)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def test_argument_then_environment_then_files_then_none(root: Path, home: dict[str, str]) -> None:
    in_workspace, of_user = credentials_paths(root, home)
    given = Credentials("argument-1", SECRET)
    assert find_credentials(root, home) is None
    write(of_user)
    steps = [(home, "from-file-sitewatch")]
    assert [find_credentials(root, env).client_id for env, _ in steps] == [name for _, name in steps]  # type: ignore[union-attr]
    write(in_workspace)
    for environment, expected in [
        (home, "from-file-workspace"),
        (home | THEIRS, "theirs-12345678"),
        (home | THEIRS | OURS, "ours-12345678"),
    ]:
        found = find_credentials(root, environment)
        assert found is not None
        assert found.client_id == expected
    assert find_credentials(root, home | OURS, given=given) is given


def test_the_origin_is_told_and_the_secret_is_not(root: Path, home: dict[str, str]) -> None:
    write(credentials_paths(root, home)[0])
    for environment in (home, home | OURS, home | THEIRS):
        found = find_credentials(root, environment)
        assert SECRET not in f"{found} {found!r}"
    assert str(find_credentials(root, home | OURS)) == "ours... from environment (SITEWATCH_SH_CLIENT_ID)"
    assert str(root) in str(find_credentials(root, home))


@pytest.mark.parametrize("missing", [*OURS, *THEIRS])
def test_half_a_pair_is_refused_and_not_passed_over(root: Path, home: dict[str, str], missing: str) -> None:
    pair = OURS if missing in OURS else THEIRS
    write(credentials_paths(root, home)[0])
    half = {name: value for name, value in pair.items() if name != missing}
    with pytest.raises(
        CredentialsError, match=f"half of the credentials is set: {missing} is missing"
    ) as caught:
        find_credentials(root, home | half)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_read_is_refused(root: Path, home: dict[str, str], mode: int) -> None:
    path = credentials_paths(root, home)[0]
    write(path, mode=mode)
    with pytest.raises(CredentialsError, match=r"others on this machine may read it\. Run: chmod 600"):
        find_credentials(root, home)


@pytest.mark.parametrize(
    "text",
    [
        f'client_secret = "{SECRET}"',
        f'[sentinelhub]\nclient_id = "a"\nclient_secret = {SECRET}',
        f'[sentinelhub]\nclient_id = 7\nclient_secret = "{SECRET}"',
        f'[sentinelhub]\nclient_id = ""\nclient_secret = "{SECRET}"',
        f'sentinelhub = "{SECRET}"',
        f'[sentinelhub]\nclient_secret = "{SECRET}"',
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(
    root: Path, home: dict[str, str], text: str
) -> None:
    path = credentials_paths(root, home)[0]
    write(path, text)
    with pytest.raises(CredentialsError) as caught:
        find_credentials(root, home)
    assert str(path) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
