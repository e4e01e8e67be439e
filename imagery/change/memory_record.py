"""A judge's memory as plain values and small arrays, and back, exactly; what is large goes on a shelf."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from imagery.change.case_record import case_of, plain
from imagery.change.day import KeptLook, Mapped
from imagery.change.detectable_words import Detectable, Seen
from imagery.change.harmonics import HarmonicModel
from imagery.change.learned import Learned, Quiet
from imagery.change.matched import Residuals
from imagery.change.memory import Memory, Remembered
from imagery.change.packed import pack, unpack
from imagery.change.recipe import Moved, Recipe, Scaled
from imagery.change.search import LookMaps, Yardstick
from imagery.change.stored import Stored
from imagery.change.whole import Whole
from imagery.errors import StateError
from imagery.shift import Shift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from imagery.change.memory import Chips
    from imagery.change.stored import Shelf

    Arrays = Mapping[str, NDArray[Any]]

T = TypeVar("T")

_MODEL_ARRAYS = ("coefficients", "sigma", "count", "inverse_gram")
_SCORES = ("alone", "agreed", "thrice", "summed", "shifts")


def told(memory: Memory, shelf: Shelf) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a memory as what `packed.pack` takes.

    Args:
        memory: Of a judge.
        shelf: Where models and maps are put that are not there yet.
    """
    learned = memory.learned
    values = {
        "past": [_past_row(each) for each in memory.past],
        "clear_looks": memory.clear_looks,
        "fitted_at": memory.fitted_at,
        "learned": None if learned is None else _learned_row(learned, shelf),
        "kept": [_kept_row(each, shelf) for each in memory.kept],
        "cases": [plain(each) for each in memory.cases],
        "rebased": [day.isoformat() for _, day in memory.rebased],
        "orbits": dict(memory.orbits),
        "baselines": sorted(memory.baselines),
        "simulated": memory.simulated,
        "shift_sds": plain(memory.shift_sds),
        "sizes": plain(memory.sizes),
        **{name: plain(getattr(memory, name)) for name in _SCORES},
    }
    arrays: dict[str, NDArray[Any]] = {
        f"rebased.{n}": np.packbits(mask) for n, (mask, _) in enumerate(memory.rebased)
    }
    for number, kept in enumerate(memory.kept):
        arrays[f"kept.{number}.noise"] = kept.whole.noise
        if kept.whole.gone is not None:
            arrays[f"kept.{number}.gone"] = np.packbits(kept.whole.gone)
    if learned is not None:
        arrays |= {"join": learned.yard.join, "inflation": learned.yard.inflation}
        if learned.yard.rough is not None:
            arrays["rough"] = learned.yard.rough
    return values, arrays


def remembered(
    values: Mapping[str, Any], arrays: Arrays, shelf: Shelf, shape: tuple[int, int, int], chips: Chips
) -> Memory:
    """Return the memory that `told` was given; models and maps are read when they are asked for.

    Args:
        values: What `told` returned.
        arrays: The same.
        shelf: Where models and maps lie.
        shape: Bands, rows and columns of the frame.
        chips: Reads the chip of a day again.

    Raises:
        StateError: They are of something else.
    """
    try:
        return _memory(values, arrays, shelf, shape, chips)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StateError(f"the state does not say what a judge needs ({error!r})") from error


def parts_of(values: Mapping[str, Any]) -> set[str]:
    """Return the names of what a memory has on the shelf."""
    names = {row[name] for row in values["kept"] for name in ("mapped", "model")}
    return names if values["learned"] is None else names | {values["learned"]["model"]}


def _memory(
    values: Mapping[str, Any], arrays: Arrays, shelf: Shelf, shape: tuple[int, int, int], chips: Chips
) -> Memory:
    models: dict[str, Stored[HarmonicModel]] = {}
    bands, rows, columns = shape

    def model(name: str) -> Stored[HarmonicModel]:
        return models.setdefault(name, Stored.on(shelf, name, lambda data: _model(data, shape)))

    def mask(name: str) -> NDArray[np.bool_]:
        bits: NDArray[np.bool_] = np.unpackbits(arrays[name], count=rows * columns).astype(np.bool_)
        return bits.reshape(rows, columns)

    row = values["learned"]
    kept = [
        KeptLook(
            Whole(
                day=date.fromisoformat(each["day"]),
                orbit=each["orbit"],
                recipe=_recipe(each["recipe"]),
                shift=None if each["shift"] is None else _shift(each["shift"]),
                noise=arrays[f"kept.{number}.noise"].reshape(bands),
                model=model(each["model"]),
                chips=chips,
                gone=mask(f"kept.{number}.gone") if f"kept.{number}.gone" in arrays else None,
            ),
            Stored.on(shelf, each["mapped"], lambda data: _mapped(data, bands)),
        )
        for number, each in enumerate(values["kept"])
    ]
    return Memory(
        past=[_past(each) for each in values["past"]],
        clear_looks=int(values["clear_looks"]),
        fitted_at=int(values["fitted_at"]),
        learned=None if row is None else _learned(row, arrays, model(row["model"])),
        kept=kept,
        cases=[case_of(each) for each in values["cases"]],
        rebased=[(mask(f"rebased.{n}"), date.fromisoformat(day)) for n, day in enumerate(values["rebased"])],
        orbits=Counter(values["orbits"]),
        baselines=set(values["baselines"]),
        simulated=bool(values["simulated"]),
        shift_sds=[(float(x), float(y)) for x, y in values["shift_sds"]],
        sizes=_sizes(values["sizes"]),
        **{name: list(map(float, values[name])) for name in _SCORES},
    )


def _past_row(look: Remembered) -> list[Any]:
    return [look.day.isoformat(), look.orbit, look.is_settled, _recipe_row(look.recipe)]


def _past(row: list[Any]) -> Remembered:
    day, orbit, is_settled, recipe = row
    return Remembered(date.fromisoformat(day), orbit, _recipe(recipe), bool(is_settled))


def _recipe_row(recipe: Recipe) -> list[Any]:
    return [
        {"dx_px": step.dx_px, "dy_px": step.dy_px}
        if isinstance(step, Moved)
        else {"gain": list(step.gain), "offset": list(step.offset)}
        for step in recipe.steps
    ]


def _recipe(rows: list[Any]) -> Recipe:
    steps = (
        Moved(float(row["dx_px"]), float(row["dy_px"]))
        if "dx_px" in row
        else Scaled(tuple(map(float, row["gain"])), tuple(map(float, row["offset"])))
        for row in rows
    )
    return Recipe(tuple(steps))


def _shift(row: list[Any]) -> Shift:
    dx, dy, var_x, var_y, cov_xy, correlation = map(float, row[:-1])
    return Shift(dx, dy, var_x, var_y, cov_xy, correlation, int(row[-1]))


def _sizes(row: list[Any]) -> tuple[int, tuple[Detectable, ...]]:
    fitted_at, found = row
    return int(fitted_at), tuple(map(_detectable, found))


def _detectable(row: Mapping[str, Any]) -> Detectable:
    return Detectable(
        **{
            **row,
            "sides_m": tuple(map(float, row["sides_m"])),
            "shares": tuple(map(float, row["shares"])),
            "half": _seen(row["half"]),
            "nine": _seen(row["nine"]),
        }
    )


def _seen(row: Mapping[str, Any]) -> Seen:
    return Seen(**{**row, **{name: float(row[name]) for name in ("side_m", "low_m", "high_m")}})


def _learned_row(learned: Learned, shelf: Shelf) -> dict[str, Any]:
    return {
        "model": learned.stored_model.put_on(shelf, _model_bytes),
        "quiet": plain(learned.quiet),
        "days": plain(learned.days),
        "orbits": list(learned.orbits),
    }


def _learned(row: Mapping[str, Any], arrays: Arrays, model: Stored[HarmonicModel]) -> Learned:
    return Learned(
        stored_model=model,
        yard=Yardstick(arrays["join"], arrays["inflation"], arrays.get("rough")),
        quiet=Quiet(**{name: float(each) for name, each in row["quiet"].items()}),
        days=tuple(map(date.fromisoformat, row["days"])),
        orbits=tuple(row["orbits"]),
    )


def _kept_row(kept: KeptLook, shelf: Shelf) -> dict[str, Any]:
    whole, shift = kept.whole, kept.whole.shift
    return {
        "day": whole.day.isoformat(),
        "orbit": whole.orbit,
        "recipe": _recipe_row(whole.recipe),
        "shift": None if shift is None else list(plain(shift).values()),
        "model": whole.model.put_on(shelf, _model_bytes),
        "mapped": kept.stored.put_on(shelf, _mapped_bytes),
    }


def _model_bytes(model: HarmonicModel) -> bytes:
    arrays = {name: getattr(model, name) for name in _MODEL_ARRAYS}
    return pack({"orbits": list(model.orbits), "looks": model.looks}, arrays)


def _model(data: bytes, shape: tuple[int, int, int]) -> HarmonicModel:
    def read(values: dict[str, Any], arrays: Arrays) -> HarmonicModel:
        own = {name: arrays[name] for name in _MODEL_ARRAYS}
        if own["sigma"].shape != shape or any(array.shape[-2:] != shape[1:] for array in own.values()):
            message = f"a model of {own['sigma'].shape}"
            raise ValueError(message)
        return HarmonicModel(tuple(values["orbits"]), int(values["looks"]), **own)

    return _part(data, read)


def _mapped_bytes(mapped: Mapped) -> bytes:
    arrays: dict[str, NDArray[Any]] = {"values": mapped.now.values, "variance": mapped.now.variance}
    if mapped.now.drifts is not None:
        arrays["drifts"] = mapped.now.drifts
    for number, (z, seen) in enumerate(zip(mapped.maps.z, mapped.maps.seen, strict=True)):
        arrays |= {f"z.{number}": z, f"seen.{number}": seen}
    return pack({"templates": len(mapped.maps.z)}, arrays)


def _mapped(data: bytes, bands: int) -> Mapped:
    def read(values: dict[str, Any], arrays: Arrays) -> Mapped:
        if len(arrays["values"]) != bands or arrays["variance"].shape != arrays["values"].shape:
            message = f"maps of {arrays['values'].shape}"
            raise ValueError(message)
        numbers = range(values["templates"])
        z, seen = (tuple(arrays[f"{name}.{n}"] for n in numbers) for name in ("z", "seen"))
        return Mapped(
            Residuals(arrays["values"], arrays["variance"], arrays.get("drifts")), LookMaps(z, seen)
        )

    return _part(data, read)


def _part(data: bytes, read: Callable[[dict[str, Any], Arrays], T]) -> T:
    values, arrays = unpack(data)
    try:
        return read(values, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"a part of the state does not say what a judge needs ({error!r})") from error
