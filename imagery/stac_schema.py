"""Checking STAC documents against their published JSON Schemas, offline.

The schemas lie in ``schemas/`` with a manifest of where they came from. The validator, `jsonschema`, is
not among the run-time dependencies: our own Items are right by construction and by test.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import Where
from imagery.errors import ArchiveError
from imagery.stac import STAC_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from referencing import Registry

_CORE = f"https://schemas.stacspec.org/v{STAC_VERSION}"
_SCHEMA_OF_TYPE = {
    "Feature": f"{_CORE}/item-spec/json-schema/item.json",
    "Collection": f"{_CORE}/collection-spec/json-schema/collection.json",
    "Catalog": f"{_CORE}/catalog-spec/json-schema/catalog.json",
}


def validate_stac(document: Mapping[str, Any]) -> None:
    """Check an Item, Collection or Catalog and the extensions it declares.

    Raises:
        ArchiveError: The first rule it breaks, with the path to it; or an unknown type or extension.
        ImportError: `jsonschema` is not installed.
    """
    kind = document.get("type")
    if kind not in _SCHEMA_OF_TYPE:
        raise ArchiveError(f"{kind!r} is no type of STAC document", where=Where(field="type"))
    for uri in (_SCHEMA_OF_TYPE[str(kind)], *document.get("stac_extensions", ())):
        _check(document, uri)


def _check(document: Mapping[str, Any], uri: str) -> None:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - not a run-time dependency

    schema = _schemas().get(uri)
    feature = str(document.get("id"))
    if schema is None:
        raise ArchiveError(f"no schema is kept for {uri}", where=Where(feature=feature))
    validator = Draft7Validator(schema, registry=_registry(), format_checker=Draft7Validator.FORMAT_CHECKER)
    # Through JSON, so that tuples count as arrays.
    faults = sorted(validator.iter_errors(orjson.loads(orjson.dumps(document))), key=lambda f: f.json_path)
    if faults:
        raise ArchiveError(
            f"against {uri}: {faults[0].message}", where=Where(feature=feature, field=faults[0].json_path)
        )


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    folder = files("imagery") / "schemas"
    manifest = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))
    return {entry["uri"]: orjson.loads((folder / entry["file"]).read_bytes()) for entry in manifest["schema"]}


@cache
def _registry() -> Registry[Any]:
    from referencing import Registry  # noqa: PLC0415 - comes with jsonschema
    from referencing.jsonschema import DRAFT7  # noqa: PLC0415 - as above

    resources = [(uri, DRAFT7.create_resource(schema)) for uri, schema in _schemas().items()]
    return Registry().with_resources(resources)
