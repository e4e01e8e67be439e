"""The archive's own TIFFs, written and read without GDAL, held against GDAL in both directions."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from imagery import tiles
from imagery.errors import ArchiveError, ImageError
from imagery.frame import Frame, read_counts
from imagery.geotiff import read_header, write_cog
from imagery.model import BandFile
from imagery.tiled_reader import read_window
from imagery.tiled_writer import cog, key_of_crs, tile_side

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TRANSFORM = Affine(10.0, 0.0, 280_000.0, 0.0, -10.0, 4_440_000.0)
CRS = "EPSG:32652"
DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


def pixels_of(dtype: str, shape: tuple[int, int], seed: int) -> NDArray[Any]:
    """Return noise over the whole range of a type, with a calm part and the values that go wrong."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        pixels = (rng.normal(0, 1000, shape) * 10.0 ** rng.integers(-9, 9, shape)).astype(dtype)
        pixels.flat[:: max(1, pixels.size // 7)] = np.nan
        pixels.flat[-1] = -np.inf
    else:
        limits = np.iinfo(dtype)
        pixels = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
        pixels.flat[0], pixels.flat[-1] = limits.min, limits.max
    pixels[: shape[0] // 2, : shape[1] // 2] = 7
    return pixels


def write(path: Path, pixels: NDArray[Any], **changed: Any) -> None:  # noqa: ANN401 - as write_cog takes
    arguments: dict[str, Any] = {
        "crs": CRS,
        "transform": TRANSFORM,
        "nodata": None,
        "scale": None,
        "offset": 0.0,
        "name": "red",
    }
    write_cog(path, pixels, **(arguments | changed))


def write_by_gdal(path: Path, pixels: NDArray[Any], **options: Any) -> None:  # noqa: ANN401 - as rasterio takes
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": 1,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "dtype": pixels.dtype.name,
        "crs": CRS,
        "transform": TRANSFORM,
        "tiled": True,
        "blockxsize": 64,
        "blockysize": 64,
        "compress": "deflate",
    }
    with rasterio.open(path, "w", **(profile | options)) as dataset:
        for index in dataset.indexes:
            dataset.write(pixels, index)


def whole(path: Path, shape: tuple[int, int]) -> NDArray[Any] | None:
    return read_window(path, shape, slice(0, shape[0]), slice(0, shape[1]))


def whole_or_refused(path: Path, shape: tuple[int, int]) -> NDArray[Any] | None:
    """Return the pixels, or None where the file is damaged or of another kind."""
    try:
        return whole(path, shape)
    except ImageError:
        return None


def read(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        pixels: NDArray[Any] = dataset.read(1)
    return pixels


def tiles_of(data: bytes, folder: Path, shape: tuple[int, int]) -> NDArray[Any]:
    path = folder / "whole.tif"
    path.write_bytes(data)
    pixels = whole(path, shape)
    assert pixels is not None
    return pixels


@st.composite
def windows(draw: st.DrawFn) -> tuple[tuple[int, int], slice, slice]:
    def along(length: int) -> slice:
        first = draw(st.integers(0, length - 1))
        return slice(first, draw(st.integers(first + 1, length)))

    shape = draw(st.tuples(st.integers(1, 300), st.integers(1, 300)))
    return shape, along(shape[0]), along(shape[1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window=windows(), dtype=st.sampled_from(DTYPES), writer=st.sampled_from(["ours", "COG", "GTiff"]))
def test_a_window_is_what_rasterio_reads(
    tmp_path: Path, window: tuple[tuple[int, int], slice, slice], dtype: str, writer: str
) -> None:
    shape, rows, columns = window
    path, pixels = tmp_path / "a.tif", pixels_of(dtype, shape, seed=sum(shape))
    if writer == "ours":
        write(path, pixels)
    elif writer == "COG":
        options = {"tiled": None, "blockxsize": None, "blockysize": None}
        write_by_gdal(path, pixels, driver="COG", blocksize=128, predictor="YES", overviews="NONE", **options)
    else:
        write_by_gdal(path, pixels)
    found = read_window(path, shape, rows, columns)
    with rasterio.open(path) as dataset:
        expected = dataset.read(1, window=Window.from_slices(rows, columns))
    assert found is not None
    assert (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())
    assert found.flags.writeable
    assert found.tobytes() == np.ascontiguousarray(pixels[rows, columns]).tobytes()


@pytest.mark.parametrize(
    ("nodata", "scale", "offset"),
    [(None, None, 0.0), (0.0, 1e-4, -0.1), (65535.0, 2.75e-05, 0.2), (float("nan"), 1.0, 0.0)],
)
def test_gdal_finds_in_a_file_what_was_put_into_it(
    tmp_path: Path, nodata: float | None, scale: float | None, offset: float
) -> None:
    path, pixels = tmp_path / "a.tif", pixels_of("float32", (70, 190), seed=1)
    name = 'nir "<&>" 08'
    write(path, pixels, nodata=nodata, scale=scale, offset=offset, name=name, crs="EPSG:5186")
    header = read_header(path)
    assert (header.crs, header.transform, header.shape) == ("EPSG:5186", TRANSFORM, (70, 190))
    assert (header.scales, header.offsets) == ((scale or 1.0,), (offset,))
    assert header.descriptions == (name,)
    assert repr(header.nodata) == repr((nodata,))
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.crs == rasterio.crs.CRS.from_epsg(5186)
        assert dataset.tags()["AREA_OR_POINT"] == "Area"


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize(
    "name", ["s2-cloud-labels/s2_toa_x10000.tif", "landsat-taizhou-pair/taizhou_2000-03-17.tif"]
)
def test_the_same_pixels_are_the_same_bytes_and_not_more_than_gdals(
    tmp_path: Path, test_data: Path, name: str
) -> None:
    pixels = read(test_data / "imagery" / name)
    for copy in "ab":
        write(tmp_path / f"{copy}.tif", pixels)
    write_by_gdal(tmp_path / "gdal.tif", pixels, predictor=2)
    ours = (tmp_path / "a.tif").read_bytes()
    assert ours == (tmp_path / "b.tif").read_bytes()
    assert len(ours) < (tmp_path / "gdal.tif").stat().st_size


def test_tiles_are_small_and_a_small_raster_is_one() -> None:
    assert [tile_side((rows, 3)) for rows in (1, 16, 61, 128, 129, 2048, 2049)] == [
        16,
        16,
        64,
        128,
        64,
        64,
        128,
    ]


@pytest.mark.parametrize(
    ("crs", "key"),
    [
        ("EPSG:32652", 32652),
        ("EPSG:4326", None),
        ("EPSG:7415", None),  # a projected CRS with heights
        ("EPSG:102100", None),
        ("ESRI:102100", None),
        ('PROJCRS["x"]', None),
    ],
)
def test_only_a_plain_projected_crs_has_a_key(crs: str, key: int | None) -> None:
    assert key_of_crs(crs) == key


def test_a_crs_without_a_code_is_written_by_gdal_and_read_all_the_same(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.tif", pixels_of("uint16", (100, 90), seed=2)
    wkt = rasterio.crs.CRS.from_string("+proj=laea +lat_0=40 +lon_0=127 +datum=WGS84 +units=m").to_wkt()
    write(path, pixels, crs=wkt, scale=1e-4, offset=-0.1, nodata=0.0)
    assert np.array_equal(read(path), pixels)
    header = read_header(path)
    assert "Lambert_Azimuthal_Equal_Area" in header.crs
    assert (header.scales, header.offsets, header.descriptions) == ((1e-4,), (-0.1,), ("red",))


@pytest.mark.parametrize(
    "options",
    [
        {"tiled": False, "blockxsize": None, "blockysize": 16},
        {"BIGTIFF": "YES"},
        {"ENDIANNESS": "BIG"},
        {"compress": "lzw"},
        {"compress": None},
        {"count": 2},
        {"photometric": "MINISWHITE"},
        {"SPARSE_OK": True},
        {"blockxsize": 1024, "blockysize": 1024},
        {"NBITS": 12},
        {"count": 2, "INTERLEAVE": "BAND"},
    ],
)
def test_files_of_another_kind_are_left_to_gdal(tmp_path: Path, options: dict[str, Any]) -> None:
    path, pixels = tmp_path / "a.tif", np.zeros((100, 90), dtype=np.uint16)
    write_by_gdal(path, pixels, **options)
    assert whole(path, pixels.shape) is None
    file = BandFile("red", str(path), CRS, TRANSFORM, pixels.shape, None, None, 0.0)
    counts, valid, _ = read_counts(file, Frame(CRS, TRANSFORM, (10, 10)))
    assert not counts.any()
    assert valid.all()


def test_overviews_are_left_to_gdal(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.tif", np.ones((300, 300), dtype=np.uint16)
    write_by_gdal(path, pixels)
    assert whole(path, pixels.shape) is not None
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2])
    assert whole(path, pixels.shape) is None


def test_a_file_of_another_size_than_its_item_says_is_left_to_gdal(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write(path, np.ones((30, 40), dtype=np.uint8))
    assert whole(path, (40, 30)) is None
    assert whole(tmp_path / "missing.tif", (30, 40)) is None
    assert whole(tmp_path, (30, 40)) is None


@pytest.fixture(scope="module")
def good() -> tuple[NDArray[Any], bytes]:
    pixels = np.random.default_rng(5).integers(0, 4000, (150, 140)).astype(np.uint16)
    key = key_of_crs(CRS)
    assert key
    data = cog(pixels, crs_key=key, transform=TRANSFORM, nodata=0.0, scale=1e-4, offset=0.0, name="red")
    return pixels, data


@pytest.mark.parametrize("inflater", ["isal.isal_zlib", "zlib"])
def test_a_file_cut_short_or_with_a_wrong_byte_never_gives_wrong_pixels(
    tmp_path: Path, good: tuple[NDArray[Any], bytes], monkeypatch: pytest.MonkeyPatch, inflater: str
) -> None:
    monkeypatch.setattr(tiles, "_INFLATER", pytest.importorskip(inflater))
    pixels, data = good
    assert np.array_equal(tiles_of(data, tmp_path, pixels.shape), pixels)
    path = tmp_path / "a.tif"
    rng = np.random.default_rng(6)
    for position in [*range(8), *range(110, 400, 3), *rng.integers(400, len(data), 60).tolist()]:
        damaged = bytearray(data)
        damaged[position] ^= int(rng.integers(1, 256))
        for content in (bytes(damaged), data[:position]):
            path.write_bytes(content)
            found = whole_or_refused(path, pixels.shape)
            if found is not None and content[:400] == data[:400]:
                assert np.array_equal(found, pixels)
            elif found is not None:
                # The directory has no checksum; a changed one may speak of other pixels of this file.
                assert found.shape == pixels.shape


def test_damage_in_the_tiles_is_an_error_that_names_the_file(
    tmp_path: Path, good: tuple[NDArray[Any], bytes]
) -> None:
    pixels, data = good
    path = tmp_path / "a.tif"
    damaged = bytearray(data)
    damaged[-5000:-4900] = b"\xff" * 100
    path.write_bytes(damaged)
    file = BandFile("red", str(path), CRS, TRANSFORM, pixels.shape, None, None, 0.0)
    with pytest.raises(ArchiveError, match=r"band can't be read: the tile at byte .* is damaged") as caught:
        read_counts(file, Frame(CRS, TRANSFORM, pixels.shape))
    assert caught.value.where.file == str(path)


@pytest.mark.parametrize("inflater", ["isal.isal_zlib", "zlib"])
def test_a_tile_that_unpacks_to_more_or_less_than_a_tile_is_damage(
    tmp_path: Path, good: tuple[NDArray[Any], bytes], monkeypatch: pytest.MonkeyPatch, inflater: str
) -> None:
    monkeypatch.setattr(tiles, "_INFLATER", pytest.importorskip(inflater))
    pixels, data = good
    asked: list[int] = []
    inflated = tiles.inflated

    def counting(stream: bytes, size: int) -> bytes | None:
        asked.append(size)
        return inflated(stream, size)

    monkeypatch.setattr(tiles, "inflated", counting)
    fields: dict[int, int] = {}
    (start,) = struct.unpack_from("<I", data, 4)
    for index in range(struct.unpack_from("<H", data, start)[0]):
        tag, _, _, value = struct.unpack_from("<HHII", data, start + 2 + 12 * index)
        fields[tag] = value
    for content in (zlib.compress(bytes(2**22)), zlib.compress(bytes(100)), b"", b"\0" * 50):
        bomb = bytearray(data + content)
        struct.pack_into("<I", bomb, fields[324], len(data))
        struct.pack_into("<I", bomb, fields[325], len(content))
        path = tmp_path / "a.tif"
        path.write_bytes(bomb)
        with pytest.raises(ImageError, match="damaged"):
            whole(path, pixels.shape)
    assert set(asked) == {64 * 64 * 2}


def test_offsets_beyond_the_file_are_refused(tmp_path: Path, good: tuple[NDArray[Any], bytes]) -> None:
    pixels, data = good
    path = tmp_path / "a.tif"
    for position in (4, *range(110, 330)):
        wild = bytearray(data)
        wild[position : position + 4] = b"\xf0\xff\xff\xff"
        path.write_bytes(wild)
        found = whole_or_refused(path, pixels.shape)
        assert found is None or found.shape == pixels.shape
