from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image

from geo.grid import Grid
from imagery.model import Chip, Detection, Region
from maps.album import Album, Shot, make_album
from maps.blocks import packed
from maps.errors import PageError
from maps.picture_block import album_block, fitted
from maps.view import SiteEntry
from sites.model import Site

MakeChip = Callable[..., Chip]
DAYS = tuple(date(2010, 6, 1) + timedelta(days=30 * k) for k in range(6))


@pytest.fixture
def change(detection: Detection, grid: Grid, region: Region) -> Detection:
    return replace(
        detection, grid_id=grid.grid_id, geometry=region.geometry, last_without=DAYS[2], first_with=DAYS[3]
    )


@pytest.fixture
def shots(make_chip: MakeChip) -> list[Shot]:
    return [Shot(make_chip(day), "Unchanged") for day in DAYS]


@pytest.fixture
def album(shots: list[Shot], change: Detection) -> Album:
    return make_album("valley", "Quiet valley, Colorado", shots, (change,), clear_looks=40)


def test_pictures_of_a_series_share_one_stretch_and_say_so(album: Album) -> None:
    assert len({each.stretch for each in album.pictures}) == 1
    assert all(each.is_shared for each in album.pictures)


def test_one_snowy_look_does_not_decide_how_the_others_look(make_chip: MakeChip, shots: list[Shot]) -> None:
    snow = Shot(make_chip(date(2011, 1, 1), dn=np.full((3, 40, 50), 9000, np.uint16)), "Learning")
    drawn = make_album("valley", "", [*shots, snow])
    shown = np.asarray(Image.open(io.BytesIO(drawn.pictures[0].png)).convert("RGB"))
    assert 110 < shown.mean() < 145


def test_counts_have_each_their_own_stretch(make_chip: MakeChip) -> None:
    drawn = make_album("valley", "", [Shot(make_chip(day, scale=None), "") for day in DAYS])
    assert not any(each.is_shared for each in drawn.pictures)
    assert len({each.stretch for each in drawn.pictures}) > 1


def test_a_pair_has_its_outline_and_the_album_its_ground(album: Album, change: Detection) -> None:
    pair = album.before_after(change.id)
    assert pair.same_stretch
    assert (pair.before.solar_day, pair.after.solar_day) == (DAYS[2], DAYS[3])
    xs, ys = zip(*pair.before.outlines[0], strict=True)
    assert (min(xs), max(xs)) == pytest.approx((10, 20), abs=0.02)
    assert (min(ys), max(ys)) == pytest.approx((8, 16), abs=0.02)
    east, north = zip(*album.outlines[change.id][0], strict=True)
    assert (min(east), max(north)) == pytest.approx((300015 + 300, 4500015 - 240), abs=0.5)


def test_a_picture_of_another_site_is_refused(album: Album, shots: list[Shot], valley: Site) -> None:
    with pytest.raises(PageError, match="'valley'"):
        replace(album, site_id="market")
    with pytest.raises(PageError, match="was given to 'market'"):
        make_album("market", "", shots)
    with pytest.raises(PageError, match="pictures of site 'valley'"):
        SiteEntry(replace(valley, id="market"), album=album)


def test_a_pair_on_two_lattices_is_refused(make_chip: MakeChip, shots: list[Shot]) -> None:
    other = Grid("valley", GeoBox((40, 50), Affine(30, 0, 300045, 0, -30, 4500015), "EPSG:32651"))
    both = make_album("valley", "", [*shots, Shot(make_chip(date(2012, 1, 1), grid=other), "")])
    with pytest.raises(PageError, match="can't stand beside"):
        replace(both, pairs={"d1": (both.pictures[0].key, both.pictures[-1].key)})


def test_a_detection_of_another_lattice_gets_no_pair(shots: list[Shot], change: Detection) -> None:
    assert make_album("valley", "", shots, (replace(change, grid_id="older"),)).pairs == {}


def test_a_pair_is_left_out_whole(album: Album, change: Detection) -> None:
    before, _ = album.pairs[change.id]
    cut = album.only({before})
    assert (len(cut), cut.pairs, cut.outlines, cut.latest) == (1, {}, {}, None)


def test_the_brief_form_is_the_pairs_and_the_latest(album: Album) -> None:
    assert [each.solar_day for each in album.brief().pictures] == [DAYS[2], DAYS[3], DAYS[5]]


def test_equal_albums_give_equal_bytes(shots: list[Shot], change: Detection) -> None:
    texts = {
        packed(album_block(make_album("valley", "p", each, (change,))))
        for each in (shots, list(reversed(shots)))
    }
    assert len(texts) == 1


def test_a_block_names_pictures_by_their_place(album: Album, change: Detection) -> None:
    block = album_block(album)
    assert block["pairs"] == {change.id: [2, 3]}
    assert block["latest"] == 5
    assert [each["day"] for each in block["pictures"]] == [day.isoformat() for day in DAYS]
    assert (block["clear"], block["place"]) == (40, "Quiet valley, Colorado")


def _other(album: Album) -> Album:
    pictures = tuple(replace(each, site_id="market") for each in album.pictures)
    return replace(album, site_id="market", pictures=pictures)


def test_nothing_is_said_when_all_fits(album: Album) -> None:
    done = fitted([album, _other(album)])
    assert done.words == ""
    assert done.albums == (album, _other(album))


def test_what_does_not_fit_is_left_out_pairs_last_and_said(album: Album, change: Detection) -> None:
    size = len(album.pictures[0].png)
    done = fitted([album, _other(album)], limit_bytes=round(6.5 * size))
    assert [len(each) for each in done.albums] == [3, 3]
    assert all(set(each.pairs) == {change.id} for each in done.albums)
    assert "6 of 12 are left out" in done.words
    tiny = fitted([album], limit_bytes=10)
    assert tiny.kept == 0
    assert "1 of 1 sites" in tiny.words


def test_two_albums_of_one_site_are_refused(album: Album) -> None:
    with pytest.raises(PageError, match="two albums"):
        fitted([album, album])
