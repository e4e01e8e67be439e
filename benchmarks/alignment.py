"""How truly and how fast looks are aligned, beside scikit-image.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/alignment.py

Chips whose shift is known: moved textures; two dates of Landsat over Taizhou three years apart
(`SITEWATCH_TEST_DATA`, default ``../shared``), blurred and thinned to every fourth pixel, so that
another first one is a move by quarters; simulated sites through two years. scikit-image takes part where it
is installed; it knows no gaps, so they are filled with the mean for it.

An error is what the estimate differs from the truth by, the median of a place's errors taken off: how far
two dates or a reference lie apart is not known, and the same for all. CPU time, one thread, best of five of
each chip; a copy of memory is timed in the same run.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from scipy import ndimage

from imagery.align import estimate_shift
from imagery.masks import MaskScheme, clear_pixels, scene_classes
from imagery.reference import context_reference, structure
from imagery.shift import Shift
from imagery.simulate.site import simulate_site, site_rng
from imagery.simulate.spec import Difficulty, GroundKind, SiteSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
EDGE = 12
STEP = 4

Found = tuple[float, float] | None


@dataclass(frozen=True)
class Chip:
    """A look, what it is laid onto, and the truth."""

    case: str
    place: str
    look: np.ndarray
    """``(band, y, x)``, NaN where not clear."""
    reference: np.ndarray
    truth: tuple[float, float]


def moved(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Return an image with its content moved right and down, exactly but for its edges."""
    fy, fx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])
    return np.fft.ifft2(np.fft.fft2(image) * np.exp(-2j * np.pi * (fx * dx + fy * dy))).real


def textures(side: int, count: int) -> Iterator[Chip]:
    """Yield smooth noise, moved, with noise of three tenths on both."""
    rng = np.random.default_rng(side)
    inner = slice(EDGE, -EDGE)
    for _ in range(count):
        ground = ndimage.gaussian_filter(rng.normal(size=(side + 2 * EDGE,) * 2), 1.5)
        ground /= ground.std()
        dx, dy = rng.uniform(-1, 1, 2)
        noise = rng.normal(0, 0.3, (2, side, side))
        look = 1.05 * moved(ground, dx, dy)[inner, inner] + 0.2 + noise[0]
        pair = (look[None].astype(np.float32), (ground[inner, inner] + noise[1])[None].astype(np.float32))
        yield Chip(f"texture, {side} px", "", *pair, (dx, dy))


def taizhou(*, gaps: bool) -> Iterator[Chip]:
    """Yield 88 px of two dates, visible bands and near infrared; a quarter of the look hidden or none."""
    folder = Path(os.environ.get("SITEWATCH_TEST_DATA", ROOT.parent / "shared"))
    dates = []
    for day in ("2000-03-17", "2003-02-06"):
        with rasterio.open(folder / "imagery/landsat-taizhou-pair" / f"taizhou_{day}.tif") as source:
            pixels = source.read((1, 2, 3, 4)).astype(np.float32)
        dates.append(ndimage.gaussian_filter(pixels, (0, 0.53 * STEP, 0.53 * STEP)))
    reference = dates[0][:, 24 : 24 + 352 : STEP, 24 : 24 + 352 : STEP]
    rng = np.random.default_rng(7)
    for row in range(-4, 5, 2):
        for column in range(-4, 5):
            look = dates[1][:, 24 - row : 376 - row : STEP, 24 - column : 376 - column : STEP].copy()
            look += rng.normal(0, 0.5, look.shape)
            if gaps:
                y, x = rng.integers(0, 44, 2)
                look[:, y : y + 44, x : x + 44] = np.nan
            yield Chip(
                "two dates, a quarter hidden" if gaps else "two dates, 88 px",
                "taizhou",
                (0.8 * look + 9).astype(np.float32),
                reference,
                (column / STEP, row / STEP),
            )


def simulated() -> Iterator[Chip]:
    """Yield the looks of six sites over half clear, on the reference made of the others."""
    hard = Difficulty(shift_sd_px=0.3, shift_outliers=0.0)
    for kind in GroundKind:
        spec = SiteSpec(
            kind.value, kind, frame_px=64, start=date(2021, 1, 1), end=date(2022, 12, 31), difficulty=hard
        )
        looks = [
            look
            for look in simulate_site(spec, site_rng(2, kind.value)).looks(overcast=False)
            if look.chip.clear.mean() > 0.5
        ]
        history = np.stack([structure(look.chip.values(), look.chip.bands) for look in looks])
        days = [look.chip.solar_day for look in looks]
        for number, look in enumerate(looks):
            others = np.arange(len(looks)) != number
            known = [day for day, other in zip(days, others, strict=True) if other]
            reference = context_reference(history[others], known)
            case = f"simulated {kind.value}, 64 px"
            truth = look.truth.acquisition.shift_px
            yield Chip(case, kind.value, history[number], reference.values, truth)


def own(look: np.ndarray, reference: np.ndarray) -> Found:
    """Align by all bands jointly."""
    shift = estimate_shift(look, reference)
    return (shift.dx_px, shift.dy_px) if isinstance(shift, Shift) else None


def own_single(look: np.ndarray, reference: np.ndarray) -> Found:
    """Align by the mean of red and near infrared, or by the only band."""
    return own(look[-2:].mean(axis=0), reference[-2:].mean(axis=0))


def phase(upsampling: int, normalization: str | None) -> Callable[[np.ndarray, np.ndarray], Found]:
    """Return scikit-image's phase correlation."""
    from skimage.registration import phase_cross_correlation  # noqa: PLC0415 - may not be there

    def estimate(look: np.ndarray, reference: np.ndarray) -> Found:
        images = []
        for image in (look[-2:].mean(axis=0), reference[-2:].mean(axis=0)):
            known = np.isfinite(image)
            images.append(np.where(known, image - image[known].mean(), 0))
        (dy, dx), *_ = phase_cross_correlation(
            images[1], images[0], upsample_factor=upsampling, normalization=normalization
        )
        return -float(dx), -float(dy)

    return estimate


def contenders() -> dict[str, Callable[[np.ndarray, np.ndarray], Found]]:
    """Return who aligns."""
    found = {"ours, bands jointly": own, "ours, one band": own_single}
    if find_spec("skimage") is None:
        print("scikit-image is not installed and takes no part", file=sys.stderr)
        return found
    found["scikit-image, upsampled 20, normalised"] = phase(20, "phase")
    found["scikit-image, upsampled 100, not normalised"] = phase(100, None)
    return found


def best_ms(estimate: Callable[[np.ndarray, np.ndarray], Found], chip: Chip) -> tuple[Found, float]:
    """Return the answer and the best CPU time."""
    best, answer = float("inf"), None
    for _ in range(ROUNDS):
        start = time.process_time()
        answer = estimate(chip.look, chip.reference)
        best = min(best, time.process_time() - start)
    return answer, 1000 * best


def closure() -> str:
    """Return by how much three dates within 30 days contradict each other, over fields in Spain."""
    folder = Path(os.environ.get("SITEWATCH_TEST_DATA", ROOT.parent / "shared"))
    looks = {}
    for path in sorted((folder / "imagery/s2-valladolid-fields").glob("s2_*.tif")):
        with rasterio.open(path) as source:
            pixels = source.read()
        clear = clear_pixels(scene_classes(pixels[2], MaskScheme.SCL), dilate_px=1)
        clear &= (pixels[:2] > 0).all(axis=0)
        if clear.mean() > 0.3:
            values = np.where(clear, pixels[:2], np.nan).astype(np.float32)
            looks[date.fromisoformat(path.stem[3:])] = values
    near = [(a, b) for a, b in combinations(looks, 2) if (b - a).days <= 30]
    pairs = {(a, b): own(looks[b], looks[a]) for a, b in near}
    legs = [
        np.add(pairs[a, b], pairs[b, c]) - pairs[a, c]
        for a, b, c in combinations(looks, 3)
        if all(pairs.get(pair) for pair in ((a, b), (b, c), (a, c)))
    ]
    found = [shift for shift in pairs.values() if shift]
    return (
        f"{len(found)} of {len(pairs)} pairs of real dates align, "
        f"{np.sqrt(np.mean(np.square(found))):.2f} px apart on each axis; "
        f"{len(legs)} triples close to {np.sqrt(np.mean(np.square(legs))):.3f} px, "
        f"{np.sqrt(np.mean(np.square(legs)) / 3):.3f} a pair"
    )


def copy_bandwidth() -> float:
    """Return bytes read and written a second by copying."""
    source, target = (np.ones(1 << 24, dtype=np.float32) for _ in range(2))
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        np.copyto(target, source)
        best = min(best, time.process_time() - start)
    return 2 * source.nbytes / best


def main() -> None:
    """Print a row for each case and contender."""
    print(f"copying moves {copy_bandwidth() / 1e9:.1f} GB/s")
    print(f"{closure()}\n")
    chips = [
        *textures(64, 60),
        *textures(256, 10),
        *taizhou(gaps=False),
        *taizhou(gaps=True),
        *simulated(),
    ]
    people = contenders()
    for estimate in people.values():
        estimate(chips[0].look, chips[0].reference)
    print("| chips | by | number | refused | error px, rms | nine in ten below | ms, median |")
    print("|---|---|---|---|---|---|---|")
    cases: dict[str, list[Chip]] = defaultdict(list)
    for chip in chips:
        cases[chip.case].append(chip)
    for case, members in cases.items():
        for name, estimate in people.items():
            answers = [best_ms(estimate, chip) for chip in members]
            errors = np.array(
                [
                    np.subtract(answer, chip.truth)
                    for (answer, _), chip in zip(answers, members, strict=True)
                    if answer is not None
                ]
            )
            if members[0].place:
                errors -= np.median(errors, axis=0)
            length = np.hypot(*errors.T)
            print(
                f"| {case} | {name} | {len(members)} | {len(members) - len(errors)} "
                f"| {np.sqrt((errors**2).mean()):.3f} | {np.quantile(length, 0.9):.3f} "
                f"| {np.median([ms for _, ms in answers]):.2f} |"
            )


if __name__ == "__main__":
    main()
