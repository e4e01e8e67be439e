"""What normalising takes off a look, and what it does to a change.

    OMP_NUM_THREADS=1 python benchmarks/normalisation.py

Simulated sites through two years, nothing built; every look against the reference of its season, made of
the other looks. The inner 20 x 20 of 64 x 64 pixels are the site, which takes no part. A gain scales a change
as it scales the look.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from imagery.normalise import normalise
from imagery.reference import context_reference
from imagery.simulate.site import simulate_site, site_rng
from imagery.simulate.spec import Difficulty, GroundKind, SiteSpec

SITE = (slice(None), slice(22, 42), slice(22, 42))
CONTEXT = np.ones((64, 64), dtype=bool)
CONTEXT[SITE[1:]] = False


def residuals(look: np.ndarray, reference: np.ndarray) -> tuple[list[float], np.ndarray, bool]:
    """Return the site's median absolute residual raw, less the median, normalised; gains; plausible."""
    raw = look - reference
    less = raw - np.nanmedian(raw[:, CONTEXT], axis=1)[:, None, None]
    result = normalise(look, reference, CONTEXT)
    parts = (raw, less, result.values - reference)
    return [float(np.nanmedian(np.abs(part[SITE]))) for part in parts], result.gain, result.plausible


def main() -> None:
    """Print a row a ground."""
    print("| ground | looks | raw | median off | normalised | gains, nine in ten within | plausible |")
    print("|---|---|---|---|---|---|---|")
    for kind in GroundKind:
        spec = SiteSpec(
            kind.value,
            kind,
            start=date(2021, 1, 1),
            end=date(2022, 12, 31),
            difficulty=Difficulty(shift_sd_px=0.0, shift_outliers=0.0),
        )
        chips = simulate_site(spec, site_rng(3, kind.value)).chips(overcast=False)
        clear = [chip for chip in chips if chip.clear.mean() > 0.5]
        values, days = np.stack([chip.values() for chip in clear]), [chip.solar_day for chip in clear]
        figures = []
        for number, chip in enumerate(clear):
            if not np.isfinite(values[number][SITE]).any():
                continue
            others = [at for at in range(len(clear)) if at != number]
            near = context_reference(values[others], [days[at] for at in others], near=chip.solar_day)
            figures.append(residuals(values[number], near.values))
        raw, less, normalised = np.mean([parts for parts, _, _ in figures], axis=0)
        low, high = np.quantile([gain for _, gain, _ in figures], [0.05, 0.95])
        share = np.mean([plausible for _, _, plausible in figures])
        print(
            f"| {kind.value} | {len(figures)} | {raw:.4f} | {less:.4f} | {normalised:.4f} "
            f"| {low:.2f} to {high:.2f} | {100 * share:.0f} % |"
        )


if __name__ == "__main__":
    main()
