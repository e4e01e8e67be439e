from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine

from imagery.errors import ImageError
from imagery.geotiff import read_header, read_strips, write_cog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imagery.conftest import WriteTif


def test_a_header_without_a_pixel(write_tif: WriteTif) -> None:
    header = read_header(write_tif("a.tif", nodata=7))
    assert (header.shape, header.crs, header.count) == ((6, 5), "EPSG:32652", 1)
    assert (header.dtypes, header.nodata, header.hidden_mask) == (("uint16",), (7.0,), False)


def test_a_vrt_that_calls_itself_tif_is_refused(write_tif: WriteTif, tmp_path: Path) -> None:
    victim = write_tif("victim.tif")
    posing = tmp_path / "posing.tif"
    with rasterio.open(victim) as dataset:
        rasterio.shutil.copy(dataset, posing, driver="VRT")
    with rasterio.open(posing) as dataset:
        assert dataset.driver == "VRT"  # what would have happened
    with pytest.raises(ImageError, match="not a TIFF") as caught:
        read_header(posing)
    assert caught.value.where.file == str(posing)


@pytest.mark.parametrize(
    "content", [b"", b"II", b"hello world", b"\x89PNG\r\n", b"<VRTDataset/>", b"II*\x01abcd"]
)
def test_other_first_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(ImageError, match="not a TIFF"):
        read_header(path)


def test_the_magic_alone_is_no_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\x00" + b"\xff" * 60)
    with pytest.raises(ImageError, match="can't be read as a GeoTIFF"):
        read_header(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tif", tmp_path):
        with pytest.raises(ImageError, match="can't be opened"):
            read_header(path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    profile = {
        "driver": "GTiff",
        "width": 40_000,
        "height": 40_000,
        "count": 1,
        "dtype": "uint8",
        "crs": "EPSG:32652",
        "transform": Affine(30.0, 0.0, 280005.0, 0.0, -30.0, 4440015.0),
    }
    with rasterio.open(path, "w", sparse_ok=True, tiled=True, compress="deflate", **profile):
        pass
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ImageError, match="1,600,000,000 samples are more than"):
        read_header(path)


def test_the_cap_counts_bands(write_tif: WriteTif) -> None:
    path = write_tif("a.tif", np.zeros((3, 6, 5), dtype=np.uint8))
    assert read_header(path, max_samples=90).count == 3
    with pytest.raises(ImageError, match="90 samples"):
        read_header(path, max_samples=89)


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ({"crs": None}, "no coordinate reference system"),
        ({"crs": "EPSG:4326", "transform": Affine(1e-4, 0, 124.0, 0, -1e-4, 40.0)}, "not in metres"),
        ({"crs": "EPSG:2263"}, "not in metres"),
        ({"crs": "EPSG:3857"}, "Web Mercator"),
        ({"transform": Affine(30, 1, 280005, 0, -30, 4440015)}, "rotated"),
        ({"transform": Affine(30, 0, 280005, 0, 30, 4440015)}, "rotated, flipped or not north up"),
        ({"transform": Affine(30, 0, 280005, 0, -20, 4440015)}, "not square"),
    ],
)
def test_georeferences_that_can_not_be_used(
    write_tif: WriteTif, profile: dict[str, Any], problem: str
) -> None:
    path = write_tif("a.tif", **profile)
    with pytest.raises(ImageError, match=problem) as caught:
        read_header(path)
    assert caught.value.where.file == str(path)
    assert caught.value.hint


def test_complex_pixels_are_refused(write_tif: WriteTif) -> None:
    with pytest.raises(ImageError, match="complex64"):
        read_header(write_tif("a.tif", np.zeros((4, 4), dtype=np.complex64)))


def test_an_alpha_band_is_a_hidden_mask(write_tif: WriteTif) -> None:
    pixels = np.full((2, 4, 4), 255, dtype=np.uint8)
    assert read_header(write_tif("a.tif", pixels, photometric="MINISBLACK", alpha="YES")).hidden_mask


def test_a_side_file_can_not_move_an_image(write_tif: WriteTif) -> None:
    path = write_tif("a.tif")
    path.with_name("a.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:32633</SRS><GeoTransform>0,10,0,0,0,-10</GeoTransform>"
        "<PAMRasterBand band='1'><NoDataValue>104</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    header = read_header(path)
    assert (header.crs, header.transform.c, header.nodata) == ("EPSG:32652", 280005.0, (None,))


def test_a_file_that_was_cut_short_is_refused_by_its_pixels(write_tif: WriteTif) -> None:
    rng = np.random.default_rng(1)
    path = write_tif("a.tif", rng.integers(0, 9999, (300, 300), dtype=np.uint16), compress="deflate")
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(ImageError, match="can't be read as a GeoTIFF"):
        list(read_strips(path, 1))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_a_cog_holds_the_same_pixels(tmp_path: Path, dtype: str) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 200, (300, 211)).astype(dtype)
    path = tmp_path / "red.tif"
    transform = Affine(30.0, 0.0, 280005.0, 0.0, -30.0, 4440015.0)
    write_cog(
        path, pixels, crs="EPSG:32652", transform=transform, nodata=3.0, scale=1e-4, offset=-0.1, name="red"
    )
    with rasterio.open(path) as dataset:
        assert np.array_equal(dataset.read(1), pixels)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (dataset.scales, dataset.offsets, dataset.nodata) == ((1e-4,), (-0.1,), 3.0)
        assert (dataset.descriptions, dataset.transform) == (("red",), transform)
        assert dataset.block_shapes == [(64, 64)]
        assert dataset.crs.to_epsg() == 32652
        assert dataset.crs.linear_units == "metre"


def test_strips_are_the_band(write_tif: WriteTif) -> None:
    pixels = np.arange(60, dtype=np.int16).reshape(2, 6, 5)
    path = write_tif("a.tif", pixels)
    assert np.array_equal(np.concatenate(list(read_strips(path, 2))), pixels[1])
