from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "numpy",
    "rasterio",
    "folium",
    "sentinelhub",
    "geopandas",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "shapely",
    "odc",
    "scipy",
)

PROBE = """
import sys
sys.argv = ["sitewatch", *sys.argv[1:]]
from watch.cli.main import main
try:
    main()
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
found = sorted({name.partition(".")[0] for name in sys.modules})
print("MODULES", *found)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["sites", "--help"], ["run", "--help"], ["ledger", "--help"]]
)
def test_help_answers_without_the_heavy_packages(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split()[1:])
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)
