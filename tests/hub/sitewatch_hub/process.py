"""The Process API: one script over one ground and time, one response or several in a tar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.stac import utc_text
from sitewatch_hub.canvas import Canvas, parse_canvas, parse_ground
from sitewatch_hub.cost import header, processing_units
from sitewatch_hub.declaration import Declaration, parse_declaration
from sitewatch_hub.encoding import JSON_TYPE, SUFFIXES, TAR_TYPE, cast, encode, encode_json, pack
from sitewatch_hub.evalscript import Evalscript, OutputSpec
from sitewatch_hub.messages import Reply, field_refusal, script_refusal
from sitewatch_hub.sampling import read_mosaic
from sitewatch_hub.selection import Source, described, group, kept, parse_source, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sitewatch_hub.granules import Granule
    from sitewatch_hub.selection import SampleScene

_SERVICE_VERSION = "local"
USERDATA = "userdata"


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """What a script made of the scenes."""

    outputs: tuple[OutputSpec, ...]
    pixels: Mapping[str, NDArray[np.float64]]
    """By output id, ``(band, y, x)``."""
    userdata: object
    units: float
    """Processing units."""


def process(payload: Mapping[str, Any], granules: Sequence[Granule]) -> Reply:
    """Answer a Process request.

    Raises:
        RefusedError: The payload or its script can't be used.
    """
    asked = payload.get("input")
    if not isinstance(asked, dict):
        raise field_refusal("input", asked, "must be given")
    ground = parse_ground(asked.get("bounds"))
    source = parse_source(asked.get("data"))
    output = payload.get("output", {})
    canvas = parse_canvas(ground, output, "output")
    rendered = render(str(payload.get("evalscript", "")), granules, source, canvas, default_type="AUTO")
    return _reply(rendered, output.get("responses"), canvas)


def render(
    script: str, granules: Sequence[Granule], source: Source, canvas: Canvas, *, default_type: str
) -> Rendered:
    """Run a script over the granules that a source means.

    Args:
        script: An evalscript of version 3.
        granules: All there are.
        source: Which of them, and how they are read.
        canvas: The pixels to fill.
        default_type: Sample type of outputs that name none.

    Raises:
        RefusedError: The script fails, or asks for what is not there.
    """
    if not script.lstrip().startswith("//VERSION=3"):
        raise script_refusal("Only evalscripts that start with //VERSION=3 are run by this server")
    with Evalscript(script) as evalscript:
        declared = parse_declaration(evalscript.setup, source.collection, default_type)
        scenes = group(select(granules, source, canvas.ground), declared.mosaicking)
        collections = _collections(scenes, declared, source)
        left = evalscript.pre_process_scenes(collections)
        if left is not None and declared.mosaicking != "SIMPLE":
            scenes = kept(scenes, left, declared.mosaicking)
            collections = _collections(scenes, declared, source)
        outputs = _updated(declared.outputs, evalscript, collections)
        metadata = {"serviceVersion": _SERVICE_VERSION, "normalizationFactor": 1e-4}
        pixels = evalscript.evaluate(
            _stack(scenes, declared, canvas, source),
            [band.name for band in declared.bands],
            outputs,
            many=declared.mosaicking != "SIMPLE",
            scenes=collections["scenes"],
            input_metadata=metadata,
        )
        userdata = evalscript.userdata(collections["scenes"], metadata)
    types = [output.sample_type for output in outputs]
    units = processing_units(canvas.shape, declared.bands, types, len(scenes), processing=source.cost_factor)
    return Rendered(outputs, pixels, userdata, units)


def _collections(scenes: Sequence[SampleScene], declared: Declaration, source: Source) -> dict[str, Any]:
    return {
        "from": utc_text(source.start),
        "to": utc_text(source.end),
        "scenes": described(scenes, declared.mosaicking),
    }


def _stack(
    scenes: Sequence[SampleScene], declared: Declaration, canvas: Canvas, source: Source
) -> NDArray[np.float64]:
    stack = np.empty((len(scenes), len(declared.bands), *canvas.shape))
    for position, scene in enumerate(scenes):
        stack[position] = read_mosaic(scene.granules, declared.bands, canvas, source.rendering)
    return stack


def _updated(
    outputs: Sequence[OutputSpec], evalscript: Evalscript, collections: Mapping[str, Any]
) -> tuple[OutputSpec, ...]:
    asked = evalscript.update_output({output.id: {"bands": output.bands} for output in outputs}, collections)
    return tuple(_resized(output, asked.get(output.id)) for output in outputs)


def _resized(output: OutputSpec, asked: object) -> OutputSpec:
    bands = asked.get("bands") if isinstance(asked, dict) else None
    if not isinstance(bands, int) or bands < 1:
        raise script_refusal(f"updateOutput left output {output.id} with {bands!r} bands")
    return replace(output, bands=bands)


def _reply(rendered: Rendered, responses: object, canvas: Canvas) -> Reply:
    asked = [{"identifier": "default", "format": {"type": "image/png"}}] if responses is None else responses
    if not isinstance(asked, list) or not asked or not all(isinstance(entry, dict) for entry in asked):
        raise field_refusal("output->responses", responses, "must be a list of responses")
    members = [_member(rendered, entry, canvas) for entry in asked]
    units = header(rendered.units)
    if len(members) == 1:
        _, media_type, body = members[0]
        return Reply(200, body, media_type, units)
    files = [(f"{name}.{SUFFIXES[media_type]}", body) for name, media_type, body in members]
    return Reply(200, pack(files), TAR_TYPE, units)


def _member(rendered: Rendered, entry: Mapping[str, Any], canvas: Canvas) -> tuple[str, str, bytes]:
    name = str(entry.get("identifier", "default"))
    written = entry.get("format", {})
    media_type = str(written.get("type", "image/png")) if isinstance(written, dict) else ""
    if "/" in name or media_type not in SUFFIXES:
        raise field_refusal(
            "output->responses", dict(entry), f"unknown format; use one of {', '.join(SUFFIXES)}"
        )
    if name == USERDATA and media_type == JSON_TYPE:
        return name, media_type, encode_json(rendered.userdata)
    spec = next((output for output in rendered.outputs if output.id == name), None)
    if spec is None:
        known = ", ".join(output.id for output in rendered.outputs)
        raise field_refusal(
            "output->responses->identifier", name, f"the script has no such output, only {known}"
        )
    return name, media_type, encode(cast(rendered.pixels[name], spec.sample_type), spec, media_type, canvas)
