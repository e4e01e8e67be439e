"""A labelled pair of images: how well `sitewatch detect` parts what changed from what did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import InputError, Where
from imagery.change.labelled import LabelFigures, label_figures
from imagery.change.pair import compare

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def labelled_pair(pair: tuple[Path, Path], labels: tuple[Path, Path]) -> LabelFigures:
    """Compare two images and hold the result against labels.

    Args:
        pair: The earlier and the later image, of the same bands and pixels.
        labels: Rasters of one band and the same pixels, anything but 0 where labelled: changed, unchanged.

    Raises:
        InputError: A file is no raster, or bands or pixels differ.
    """
    before, after, changed, unchanged = (_read(path) for path in (*pair, *labels))
    one_band = before[:1].shape
    for path, pixels, shape in (
        (pair[1], after, before.shape),
        (labels[0], changed, one_band),
        (labels[1], unchanged, one_band),
    ):
        if pixels.shape != shape:
            raise InputError(
                f"{pixels.shape} bands, rows, columns instead of {shape}",
                where=Where(file=str(path)),
                hint="All four must lie on the same pixels",
            )
    result = compare(before, after)
    return label_figures(result.score, result.changed, changed[0] > 0, unchanged[0] > 0)


def _read(path: Path) -> NDArray[np.float32]:
    import rasterio  # noqa: PLC0415 - only this kind of data needs it
    from rasterio.errors import RasterioIOError  # noqa: PLC0415 - likewise

    try:
        with rasterio.open(path) as source:
            pixels = source.read(masked=True)
    except RasterioIOError as error:
        raise InputError("not a raster that can be read", where=Where(file=str(path))) from error
    return np.ma.filled(pixels.astype(np.float32), np.nan)


def figures_json(figures: LabelFigures) -> dict[str, Any]:
    """Return the figures as the document that ``evaluate labelled --json`` prints."""
    from watch.evaluate import plain  # noqa: PLC0415 - it brings the detectors

    return {"format": "sitewatch-labelled-1", "settings": {"data": "labelled"}, "figures": plain(figures)}
