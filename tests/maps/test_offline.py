from __future__ import annotations

import base64
import hashlib

import pytest

from maps.errors import PageError
from maps.offline import POLICY_MARK, inline_css, inline_js, problems, sealed

REQUESTS = (
    '<script src="https://example.org/a.js"></script>',
    '<script src="a.js"></script>',
    '<script type="module">import "x"</script>',
    '<link rel="stylesheet" href="https://example.org/a.css">',
    '<link rel="icon" href="data:,">',
    '<img src="//example.org/a.png">',
    '<img src="a.png">',
    '<img src="data:image/svg+xml,<svg/>">',
    '<img srcset="https://example.org/a.png 2x">',
    "<style>a { background: url(//example.org/a.png) }</style>",
    "<style>a { background: url('http://example.org/a.png') }</style>",
    '<style>@import "https://example.org/a.css";</style>',
    '<p style="background: url(https://example.org)">x</p>',
    '<a href="javascript:alert(1)" rel="noopener noreferrer">x</a>',
    '<a href="https://example.org/">no rel</a>',
    '<a href="https://example.org/" rel="noopener">half a rel</a>',
    '<a href="data:text/html,x" rel="noopener noreferrer">x</a>',
    '<a href="https://[" rel="noopener noreferrer">x</a>',
    '<area href="https://example.org/">',
    '<iframe srcdoc="x"></iframe>',
    '<object data="https://example.org/"></object>',
    '<base href="https://example.org/">',
    '<form action="https://example.org/"></form>',
    '<meta http-equiv="refresh" content="0; url=https://example.org/">',
    '<p onclick="alert(1)">x</p>',
    '<svg><use xlink:href="https://example.org/#a"/></svg>',
    '<video poster="https://example.org/a.png"></video>',
    '<script type="application/json">{"a": "<b>"}</script>',
    '<script type="application/gzip">{"a": 1}</script>',
    "<script>never ends",
)


@pytest.mark.parametrize("markup", REQUESTS)
def test_what_could_make_a_request_or_run_unnamed_is_refused(markup: str) -> None:
    assert problems(markup)
    with pytest.raises(PageError, match="not be safe offline"):
        sealed(f"<head>{POLICY_MARK}</head>{markup}")


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="https://example.org/a?b=1" rel="noopener noreferrer" target="_blank">source</a>',
        '<a href="#list">below</a>',
        '<img src="data:image/png;base64,iVBORw0KGgo=">',
        "<style>a { background: url(data:image/png;base64,AA==) }</style>",
        '<script>const address = "https://leafletjs.com";</script>',
        '<script type="application/json">{"url": "https://example.org"}</script>',
        '<script type="application/gzip" id="a">H4sIAAAA+/8=</script>',
        "<p>https://example.org in words</p>",
    ],
)
def test_links_to_sources_and_words_are_no_requests(markup: str) -> None:
    assert problems(markup) == []


def test_the_policy_names_each_script_and_style_by_its_hash_and_nothing_else() -> None:
    html = sealed(f"<head>{POLICY_MARK}</head><style>p{{}}</style><script>run()</script>")
    digest = base64.b64encode(hashlib.sha256(b"run()").digest()).decode()
    assert f"script-src 'sha256-{digest}'; style-src 'sha256-" in html
    assert "default-src 'none'" in html
    assert "unsafe" not in html
    assert POLICY_MARK not in html


def test_a_page_without_a_place_for_its_policy_is_refused() -> None:
    with pytest.raises(PageError, match="mark of its policy once, not 0"):
        sealed("<p>x</p>")


def test_addresses_in_vendored_style_sheets_become_none() -> None:
    css = "a{background:url(images/a.png)} b{behavior:url('#x')} c{background:url(data:image/png;base64,A)}"
    assert inline_css(css) == "a{background:none} b{behavior:none} c{background:url(data:image/png;base64,A)}"


def test_vendored_scripts_lose_their_source_map() -> None:
    assert inline_js("a()\n//# sourceMappingURL=a.js.map\n") == "a()\n\n"


@pytest.mark.parametrize("script", ['x = "</script>"', 'x = "<!--"', 'x = "</SCRIPT "'])
def test_a_script_that_would_end_its_own_element_is_refused(script: str) -> None:
    with pytest.raises(PageError, match="can't be inlined"):
        inline_js(script)
