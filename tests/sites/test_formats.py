from __future__ import annotations

from pathlib import Path

import pytest

from geo.dates import parse_edtf
from sites.catalogue import Catalogue
from sites.categories import Category
from sites.errors import CatalogueError
from sites.formats import read_sites, write_sites
from sites.model import Name, Site
from sites.observation import Observation, Source
from sites.tables import TableOptions


@pytest.mark.parametrize("ending", [".geojson", ".json", ".csv", ".tsv", ".CSV"])
def test_every_format_gives_back_what_was_written(tmp_path: Path, ending: str) -> None:
    catalogue = Catalogue.read(Path(__file__).parents[2] / "sites" / "builtin")
    path = tmp_path / f"sites{ending}"
    write_sites(path, catalogue)
    assert read_sites(path).records() == tuple(catalogue)


def test_refuses_what_it_cannot_read_or_write(tmp_path: Path) -> None:
    for act in (lambda: read_sites(tmp_path / "a.doc"), lambda: write_sites(tmp_path / "a.doc", [])):
        with pytest.raises(CatalogueError, match=r"unknown ending '\.doc'.*\.csv"):
            act()
    with pytest.raises(CatalogueError, match="for tables"):
        read_sites(tmp_path / "a.geojson", TableOptions(defaults={"category": "market"}))
    assert list(tmp_path.iterdir()) == []


def test_notebooks_show_everything_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    note = Observation(
        "n", parse_edtf("2015-05-25/2016-06-27"), evil, sources=(Source(evil, reliability="B"),)
    )
    site = Site("a", (Name(evil),), Category.MARKET, province=evil, observations=(note,))
    for shown in (site._repr_html_(), note._repr_html_(), Catalogue.of([site])._repr_html_()):
        assert "<img" not in shown
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "2015-05-25/2016-06-27" in note._repr_html_() and "B" in note._repr_html_()
    assert "nobody has placed it yet" in site._repr_html_()


def test_notebooks_show_the_first_of_many_sites() -> None:
    sites = [Site(f"s{count}", (Name("A"),), Category.MARKET) for count in range(60)]
    assert "and 10 more" in Catalogue.of(sites)._repr_html_()
