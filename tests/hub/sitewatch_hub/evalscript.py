"""Evalscripts, executed by V8: what a script declares, its hooks, and its pixels.

V8 must start in the main thread, or contexts made in other threads crash on processors with memory
protection keys; so importing this module starts it. A context is closed by the one who made it, after
its buffers are let go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from py_mini_racer import (
    JSEvalException,
    JSOOMException,
    JSTimeoutException,
    MiniRacer,
)

from sitewatch_hub.messages import script_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

TIMEOUT_S = 60.0
MAX_MEMORY_BYTES = 512 * 2**20

_STRIP_SAMPLES = 2**22
"""Input samples that are handed to a script at a time: 32 MB."""

_FUNCTIONS = ("setup", "evaluatePixel", "preProcessScenes", "updateOutput", "updateOutputMetadata")

MiniRacer().close()


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output that a script declares."""

    id: str
    bands: int
    sample_type: str
    """``UINT8``, ``INT16``, ``UINT16``, ``FLOAT32`` or ``AUTO``; empty where not said."""
    nodata: float | None


class Evalscript:
    """One script in one V8 context; use it in a ``with`` block, from one thread."""

    def __init__(self, source: str) -> None:
        """Load the script.

        Raises:
            RefusedError: RENDERER_EXCEPTION where it does not parse or throws.
        """
        self._racer = MiniRacer()
        self._racer.set_hard_memory_limit(MAX_MEMORY_BYTES)
        try:
            self._eval(source + "\n;0")  # a script that ends in a function would leave a handle to it
            # `const evaluatePixel = ...` is visible to later scripts by name, not on the global object.
            table = ",".join(
                f"{name}: typeof {name} === 'function' ? {name} : undefined" for name in _FUNCTIONS
            )
            self._eval(f"globalThis.__hubFunction = ((table) => (name) => table[name])({{{table}}}); 0")
            self._eval(_runtime() + "; 0")
            declared = json.loads(self._text("__hub.readSetup()"))
        except BaseException:
            self._racer.close()
            raise
        self.setup: dict[str, Any] = declared["setup"] if isinstance(declared.get("setup"), dict) else {}
        """What ``setup()`` returned, unchecked; empty where it returned no object."""
        self.hooks = frozenset(declared["hooks"])

    def __enter__(self) -> Self:
        """Return the script itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the context."""
        self._racer.close()

    def pre_process_scenes(self, collections: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the collections that the script leaves, or None where it leaves them as they are."""
        if "preProcessScenes" not in self.hooks:
            return None
        kept = self._text(f"__hub.preProcessScenes({json.dumps(collections)})")
        document = json.loads(kept)
        if not isinstance(document, dict):
            raise script_refusal("preProcessScenes must return the collections")
        return document

    def update_output(self, outputs: Mapping[str, Any], collections: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs, by id, as the script wants them now that the scenes are known."""
        if "updateOutput" not in self.hooks:
            return dict(outputs)
        text = self._text(f"__hub.updateOutput({json.dumps(outputs)}, {json.dumps(collections)})")
        document: dict[str, Any] = json.loads(text)
        return document

    def userdata(self, scenes: Mapping[str, Any], input_metadata: Mapping[str, Any]) -> object:
        """Return what ``updateOutputMetadata`` leaves in ``userData``; None without the function."""
        if "updateOutputMetadata" not in self.hooks:
            return None
        text = self._text(f"__hub.updateOutputMetadata({json.dumps(scenes)}, {json.dumps(input_metadata)})")
        return json.loads(text).get("userData")

    def evaluate(
        self,
        stack: NDArray[np.float64],
        inputs: Sequence[str],
        outputs: Sequence[OutputSpec],
        *,
        many: bool,
        scenes: Mapping[str, Any],
        input_metadata: Mapping[str, Any],
    ) -> dict[str, NDArray[np.float64]]:
        """Run ``evaluatePixel`` over all pixels.

        Args:
            stack: ``(sample, band, y, x)``, bands as in `inputs`.
            inputs: Names of the bands in a sample.
            outputs: What every call must return.
            many: The script gets an array of samples instead of one.
            scenes: Second argument of ``evaluatePixel``.
            input_metadata: Its third.

        Returns:
            By output id ``(band, y, x)``, not yet rounded or clamped.

        Raises:
            RefusedError: RENDERER_EXCEPTION where the script throws, returns something else or is slow.
        """
        samples, bands, rows, columns = stack.shape
        pixels = rows * columns
        flat = stack.reshape(samples, bands, pixels)
        strip = max(1, min(pixels, _STRIP_SAMPLES // max(1, samples * bands)))
        described = [{"id": output.id, "bands": output.bands} for output in outputs]
        arguments = [samples, list(inputs), described, strip, many, scenes, input_metadata]
        self._eval(f"__hub.allocate({', '.join(map(json.dumps, arguments))}); 0")
        total = sum(output.bands for output in outputs)
        result = np.empty((total, pixels))
        for first in range(0, pixels, strip):
            count = min(strip, pixels - first)
            self._fill(flat[:, :, first : first + count], strip)
            self._eval(f"__hub.run({count}); 0")
            result[:, first : first + count] = self._drain(total, strip)[:, :count]
        edges = np.cumsum([0, *(output.bands for output in outputs)])
        shaped = result.reshape(total, rows, columns)
        return {
            output.id: shaped[start:stop]
            for output, start, stop in zip(outputs, edges[:-1], edges[1:], strict=True)
        }

    def _fill(self, block: NDArray[np.float64], strip: int) -> None:
        samples, bands, count = block.shape
        if block.size:
            view = np.frombuffer(self._buffer("source"), dtype=np.float64)
            view[: samples * bands * strip].reshape(samples, bands, strip)[:, :, :count] = block

    def _drain(self, total: int, strip: int) -> NDArray[np.float64]:
        view = np.frombuffer(self._buffer("target"), dtype=np.float64)
        return view[: total * strip].reshape(total, strip).copy()

    def _buffer(self, name: str) -> memoryview:
        buffer = self._eval(f"__hub.{name}()")
        if not isinstance(buffer, memoryview):
            raise TypeError(f"{name} is {type(buffer).__name__}, not a buffer")
        return buffer

    def _text(self, code: str) -> str:
        text = self._eval(code)
        if not isinstance(text, str):
            raise script_refusal(f"{code.partition('(')[0].removeprefix('__hub.')} returned nothing")
        return text

    def _eval(self, code: str) -> Any:  # noqa: ANN401 - the engine returns whatever JavaScript does
        try:
            return self._racer.eval(code, timeout_sec=TIMEOUT_S)
        except JSTimeoutException:
            # The stopped call still reports back; a context closed before that would be called when gone.
            self._racer.eval("0")
            raise script_refusal(f"The script took longer than {TIMEOUT_S:g} s") from None
        except JSOOMException:
            raise script_refusal("The script used too much memory") from None
        except JSEvalException as error:
            raise script_refusal(str(error).strip()) from error


@cache
def _runtime() -> str:
    return Path(__file__).with_name("runtime.js").read_text("utf-8")
