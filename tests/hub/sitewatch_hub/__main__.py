"""``python -m sitewatch_hub ARCHIVE``: a local Sentinel Hub until interrupted."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import make_archive
from sitewatch_hub.simulated_products import add_landsat, add_radar
from sitewatch_hub.terrain import add_terrain
from sitewatch_hub.tokens import Client


def _simulate(root: Path) -> None:
    rng = np.random.default_rng(0)
    archive = make_archive(root, rng)
    add_landsat(archive, rng)
    add_radar(archive)
    add_terrain(root)


def main(arguments: list[str] | None = None) -> int:
    """Serve an archive on loopback and print how to reach it."""
    defaults = Client()
    parser = argparse.ArgumentParser(prog="python -m sitewatch_hub", description=__doc__)
    parser.add_argument("archive", type=Path, help="folder of a sitewatch archive")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes any free one")
    parser.add_argument("--client-id", default=defaults.id)
    parser.add_argument("--client-secret", default=defaults.secret)
    parser.add_argument("--token-lifetime", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--simulate", action="store_true", help="make a simulated archive there first")
    given = parser.parse_args(arguments)
    if given.simulate and not given.archive.exists():
        _simulate(given.archive)
    client = Client(given.client_id, given.client_secret)
    with LocalHub(
        given.archive, port=given.port, client=client, token_lifetime_s=given.token_lifetime
    ) as hub:
        lines = (
            f"base URL   {hub.base_url}",
            f"token URL  {hub.token_url}",
            f"client     {client.id} / {client.secret}",
            f"granules   {len(hub.granules)}",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            hub.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
