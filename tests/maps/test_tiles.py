from __future__ import annotations

import pytest

from maps.errors import TilesError
from maps.tiles import MAX_TEMPLATE, Tiles


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        ("https://tile.example.org/{z}/{x}/{y}.png", "https://tile.example.org"),
        ("https://tile.example.org:8443/wmts/{z}/{y}/{x}?style=day", "https://tile.example.org:8443"),
        ("https://xn--bcher-kva.example/a/{z}/{x}/{-y}@2x.png", "https://xn--bcher-kva.example"),
        ("http://localhost:8080/{z}/{x}/{y}.png", "http://localhost:8080"),
    ],
)
def test_an_address_allows_its_own_origin(template: str, origin: str) -> None:
    assert Tiles(template, "somebody").origin == origin


@pytest.mark.parametrize(
    "template",
    [
        "",
        "tile.example.org/{z}/{x}/{y}.png",
        "http://tile.example.org/{z}/{x}/{y}.png",
        "//tile.example.org/{z}/{x}/{y}.png",
        "javascript:alert(1)/{z}/{x}/{y}",
        "data:image/png,{z}{x}{y}",
        "https://user:secret@tile.example.org/{z}/{x}/{y}.png",
        "https://user@tile.example.org/{z}/{x}/{y}.png",
        "https://{s}.tile.example.org/{z}/{x}/{y}.png",
        "https://*.example.org/{z}/{x}/{y}.png",
        "https://tile.example.org/{z}/{x}.png",
        "https://tile.example.org/{z}/{x}/{y}/{y}.png",
        "https://tile.example.org/{z}/{x}/{y}/{key}.png",
        "https://tile.example.org/{z}/{x}/{y}.png#part",
        "https://tile.example.org; script-src *//{z}/{x}/{y}.png",
        "https://tile.example.org/{z}/{x}/{y}.png; script-src *",
        "https://tile.example.org/{z}/{x}/{y}.png'\"><script>",
        "https://tile.example.org/{z}/{x}/{y}.png\nX",
        " https://tile.example.org/{z}/{x}/{y}.png",
        "https://TILE.example.org/{z}/{x}/{y}.png",
        "https://b\u00fccher.example/{z}/{x}/{y}.png",
        "https://tile.example.org:0/{z}/{x}/{y}.png",
        "https://tile.example.org:99999/{z}/{x}/{y}.png",
        "https://tile.example.org:8a/{z}/{x}/{y}.png",
        "https://tile..example.org/{z}/{x}/{y}.png",
        "https://[::1]/{z}/{x}/{y}.png",
        "https://[/{z}/{x}/{y}.png",
        "https:///{z}/{x}/{y}.png",
        "https://tile.example.org?{z}/{x}/{y}",
        "https://tile.example.org/{z}/{x}/{y}.png" + "a" * MAX_TEMPLATE,
    ],
)
def test_any_other_address_is_refused(template: str) -> None:
    with pytest.raises(TilesError, match="can't be an address of tiles"):
        Tiles(template, "somebody")


@pytest.mark.parametrize("credit", ["", "  ", "a\nb", "\u202e", "x" * 301])
def test_tiles_without_a_plain_credit_are_refused(credit: str) -> None:
    with pytest.raises(TilesError, match="need a credit"):
        Tiles("https://tile.example.org/{z}/{x}/{y}.png", credit)
