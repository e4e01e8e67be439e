from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("geo", "sites", "imagery", "maps", "watch")
IMPORT_NAMES = {"pillow": "PIL", "pydantic-settings": "pydantic_settings", "odc-geo": "odc"}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_declared_dependencies_are_the_imported_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[>=<\[ ;]", line)[0] for line in project["dependencies"]}
    modules = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in declared}
    used = set().union(*(imported(path) for path in sources())) - set(PACKAGES) - sys.stdlib_module_names
    optional = {"jsonschema", "referencing"}  # validating STAC Items, for developers
    extra = {"distributed"}
    assert extra <= {
        re.split(r"[>=]", one)[0] for each in project["optional-dependencies"].values() for one in each
    }
    assert used - optional - extra == modules


def test_only_durable_touches_the_disk_in_geo() -> None:
    pure = [path for path in sorted((ROOT / "geo").glob("*.py")) if path.name != "durable.py"]
    assert pure
    for path in pure:
        assert imported(path).isdisjoint({"os", "shutil", "tempfile", "pathlib", "io", "socket"}), path.name


def test_errors_are_one_tree_with_known_exit_codes() -> None:
    code = (
        "import geo.errors, sites.errors, imagery.errors, maps.errors, watch.errors\n"
        "from geo.errors import SitewatchError\n"
        "def walk(c):\n"
        "    yield c\n"
        "    for s in c.__subclasses__(): yield from walk(s)\n"
        "for c in walk(SitewatchError): print(c.__name__, c.exit_code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) > 10
    assert all(name.endswith("Error") and int(exit_code) in {1, 2, 3, 4} for name, exit_code in rows)


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "core", "base", "misc"}
    assert not [path for path in sources() if path.stem in drawers]
    assert not list((ROOT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "uv.txt"])
def test_pinned_requirements_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    pins = re.findall(r"^[A-Za-z0-9][\w.\-\[\]]*==", text, flags=re.MULTILINE)
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert "index" not in re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def test_damaged_input_raises_only_our_errors() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "fuzz-readers"), "500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("500 inputs") == 5
