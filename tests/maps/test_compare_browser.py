"""Any two looks of a site, compared in the saved page by a reader with mouse, keyboard or finger."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from playwright.sync_api import Locator, expect

from geo.grid import Grid
from imagery.model import Chip, Detection, Look, Outcome, Region
from maps.album import Shot, make_album
from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from sites.model import Site
from tests.maps.conftest import PAYLOADS, Watched

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
DAYS = tuple(date(2010, 6, 2) + timedelta(days=32 * k) for k in range(5))
FINE_DAY = date(2015, 8, 1)


@pytest.fixture
def entry(
    valley: Site,
    make_chip: Callable[..., Chip],
    make_look: Callable[..., Look],
    detection: Detection,
    region: Region,
    grid: Grid,
) -> SiteEntry:
    """Five Landsat looks (the third half under cloud, the last one simulated) and one of a finer sensor."""
    change = replace(
        detection, grid_id=grid.grid_id, geometry=region.geometry, last_without=DAYS[1], first_with=DAYS[2]
    )
    half = np.ones(grid.shape, bool)
    half[:, 25:] = False
    chips = [make_chip(day, simulated=day == DAYS[4]) for day in DAYS]
    chips[2] = make_chip(DAYS[2], clear=half)
    fine = Grid("valley", GeoBox((120, 150), Affine(10, 0, 300015, 0, -10, 4500015), "EPSG:32651"))
    everywhere = np.ones(fine.shape, bool)
    values = np.random.default_rng(1).integers(800, 2500, (3, *fine.shape)).astype(np.uint16)
    chips.append(
        make_chip(
            FINE_DAY,
            grid=fine,
            dn=values,
            valid=everywhere,
            clear=everywhere,
            series="sentinel-2",
            platform=PAYLOADS[0],
            credit=PAYLOADS[1] + PAYLOADS[18],
        )
    )
    looks = [make_look("valley", day, Outcome.UNCHANGED) for day in (*DAYS, FINE_DAY)]
    looks += [make_look("valley", DAYS[0] + timedelta(days=8 * k), Outcome.OBSCURED) for k in (1, 2)]
    album = make_album(
        "valley",
        "Quiet valley, Colorado",
        [Shot(chip, "Unchanged") for chip in chips],
        (change,),
        clear_looks=30,
    )
    return SiteEntry(valley, tuple(looks), (), (change,), album=album)


@pytest.fixture
def opened(entry: SiteEntry, tmp_path: Path, open_page: Open) -> Callable[..., Watched]:
    view = MapView("Places", datetime(2026, 1, 2, tzinfo=UTC), (entry,))
    path = write_site_map(view, tmp_path)

    def go(address: str = "site=valley", **parts: Any) -> Watched:  # noqa: ANN401 - of the window
        watched = open_page(path, **parts)
        watched.page.evaluate("hash => { location.hash = hash; }", address)
        watched.page.wait_for_selector(".compare-stage img")
        watched.page.locator("#looks-compared").scroll_into_view_if_needed()
        return watched

    return go


def _seen(watched: Watched) -> list[str]:
    """Return the days of the two looks that the box compares."""
    return watched.page.locator(".look-caption time").all_text_contents()


def _mode(watched: Watched, name: str) -> None:
    watched.page.get_by_role("button", name=name, exact=True).click()


def _share(watched: Watched) -> int:
    return int(watched.page.get_by_role("slider", name="Line between").get_attribute("aria-valuenow") or -1)


def _centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_box_opens_with_the_pair_of_the_detection_and_says_what_it_is(opened: Open) -> None:
    watched = opened()
    assert _seen(watched) == [DAYS[1].isoformat(), DAYS[2].isoformat()]
    text = watched.text(".compare")
    assert "Quiet valley, Colorado" in text
    assert "Some of these pictures are simulated, and marked so." in text
    assert "The same stretch on both, and on all 5 pictures of this series: black to full is" in text
    assert "6 pictures here of 30 clear looks." in text
    assert "50 % clear" in text
    for words in ("landsat-8", "30 m pixels", "natural colour (red, green, blue)", "USGS Landsat"):
        assert words in watched.text(".look-caption")
    alts = watched.page.locator(".compare-stage img").evaluate_all("all => all.map(i => i.alt)")
    assert alts[1] == (
        f"First: Quiet valley, Colorado, {DAYS[1]}, landsat-8, natural colour (red, green, blue)"
    )
    assert re.fullmatch(r"\d+ m", watched.text(".ground-length"))
    assert watched.page.locator(".ground-north").count() == 1
    assert watched.problems == []


def test_the_line_follows_the_mouse(opened: Open) -> None:
    watched = opened()
    handle = watched.page.get_by_role("slider", name="Line between")
    stage = watched.page.locator(".ground-pane").bounding_box()
    assert stage is not None
    x, y = _centre(handle)
    watched.page.mouse.move(x, y)
    watched.page.mouse.down()
    watched.page.mouse.move(stage["x"] + stage["width"] * 0.25, y)
    watched.page.mouse.up()
    assert _share(watched) == pytest.approx(25, abs=1)
    clip = watched.page.locator(".ground-layer").nth(1).evaluate("e => e.style.clipPath")
    assert clip.startswith("inset(0")
    watched.page.mouse.move(stage["x"] + 10, y)
    assert _share(watched) == pytest.approx(25, abs=1)
    # anywhere else on the pictures does as well, while all of them is in view
    watched.page.mouse.move(stage["x"] + stage["width"] * 0.6, stage["y"] + 40)
    watched.page.mouse.down()
    watched.page.mouse.move(stage["x"] + stage["width"] * 0.7, stage["y"] + 40)
    watched.page.mouse.up()
    assert _share(watched) == pytest.approx(70, abs=1)


def test_the_line_follows_the_keyboard_and_says_where_it_is(opened: Open) -> None:
    watched = opened()
    handle = watched.page.get_by_role("slider", name="Line between")
    handle.focus()
    for key, share in (
        ("ArrowRight", 52),
        ("PageUp", 62),
        ("Shift+ArrowLeft", 52),
        ("End", 100),
        ("Home", 0),
    ):
        watched.page.keyboard.press(key)
        assert _share(watched) == share
    assert handle.get_attribute("aria-valuetext") == f"{DAYS[1]} on the left 0 %, {DAYS[2]} on the rest"


def test_the_line_follows_a_finger(opened: Open) -> None:
    watched = opened(width=390, height=800)
    page = watched.page
    page.locator(".ground-pane").scroll_into_view_if_needed()
    stage = page.locator(".ground-pane").bounding_box()
    assert stage is not None
    x, y = _centre(page.locator(".swipe-grip"))
    finger = page.context.new_cdp_session(page)
    for kind, share in (("touchStart", None), ("touchMove", 0.6), ("touchMove", 0.8)):
        at = x if share is None else stage["x"] + stage["width"] * share
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("() => document.querySelector('.swipe-handle').getAttribute('aria-valuenow') > 75")
    assert _share(watched) == pytest.approx(80, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_fading_shows_more_of_the_second_look(opened: Open) -> None:
    watched = opened()
    _mode(watched, "Fade")
    slider = watched.page.get_by_role("slider", name="How much of the second")
    top = watched.page.locator(".ground-layer").nth(1)
    assert top.evaluate("e => e.style.opacity") == "0.5"
    slider.focus()
    watched.page.keyboard.press("End")
    assert top.evaluate("e => e.style.opacity") == "0"
    assert slider.get_attribute("aria-valuetext") == f"0 % of {DAYS[1]}, 100 % of {DAYS[2]}"


def _shown(watched: Watched) -> list[bool]:
    """Return whether the first and the second look are visible."""
    layers = watched.page.locator(".ground-layer")
    return [layers.nth(1).is_visible(), layers.nth(0).is_visible()]


def test_blinking_starts_when_asked_stays_below_three_a_second_and_stops(opened: Open) -> None:
    watched = opened()
    watched.page.emulate_media(reduced_motion="no-preference")
    watched.page.evaluate(
        "window.__paces = []; const was = setInterval;"
        "window.setInterval = (act, pace) => (window.__paces.push(pace), was(act, pace));"
    )
    _mode(watched, "Blink")
    assert _shown(watched) == [True, False]
    watched.page.get_by_label("How fast to blink").select_option("3")
    watched.page.get_by_role("button", name="Start blinking").click()
    watched.page.wait_for_function("() => document.querySelectorAll('.ground-layer')[1].hidden")
    assert watched.page.locator(".look-tag-first").evaluate("e => getComputedStyle(e).visibility") == "hidden"
    paces = [each for each in watched.page.evaluate("window.__paces") if each]
    assert paces
    assert min(paces) >= 1000 / 3
    watched.page.emulate_media(reduced_motion="reduce")
    expect(watched.page.locator(".blink-run")).to_be_hidden()
    expect(watched.page.locator(".blink-run")).to_have_attribute("aria-pressed", "false")
    assert "settings ask for less motion" in watched.text(".blink-row")


def test_with_less_motion_the_reader_turns_the_looks_himself(opened: Open) -> None:
    watched = opened()
    _mode(watched, "Blink")
    assert watched.page.get_by_role("button", name="Start blinking").count() == 0
    watched.page.get_by_role("button", name="Show the other").click()
    assert _shown(watched) == [False, True]
    assert watched.text(".compare [role=status]") == f"Shown: {DAYS[2]}"


def test_side_by_side_each_has_its_own_marks_and_both_move_together(opened: Open) -> None:
    watched = opened()
    _mode(watched, "Side by side")
    panes = watched.page.locator(".ground-pane")
    assert panes.count() == 2
    assert watched.page.locator(".ground-north").count() == 2
    panes.first.focus()
    for key in ("+", "+", "ArrowRight"):
        watched.page.keyboard.press(key)
    places = watched.page.locator(".compare-stage img").evaluate_all("all => all.map(i => i.style.cssText)")
    assert places[0] == places[1]
    left = re.search(r"left: (-?[\d.]+)px", places[0])
    assert left is not None
    assert float(left[1]) < -20


def test_pixels_can_be_zoomed_until_they_are_squares_and_back(opened: Open) -> None:
    watched = opened()
    watched.page.get_by_role("button", name="Pixels").click()
    image = watched.page.locator(".compare-stage img").first
    width = image.evaluate("e => e.getBoundingClientRect().width")
    assert width == pytest.approx(50 * 32, rel=0.01)
    assert image.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    assert watched.page.get_by_role("button", name="Zoom in", exact=True).first.is_visible()
    x, y = _centre(watched.page.locator(".ground-pane"))
    before = image.evaluate("e => e.getBoundingClientRect().left")
    watched.page.mouse.move(x - 100, y - 60)
    watched.page.mouse.down()
    watched.page.mouse.move(x - 60, y - 60)
    watched.page.mouse.up()
    assert image.evaluate("e => e.getBoundingClientRect().left") == pytest.approx(before + 40, abs=1)
    assert _share(watched) == 50  # zoomed in, a drag moves the ground and not the line
    watched.page.get_by_role("button", name="Fit").click()
    pane = watched.page.locator(".ground-pane").bounding_box()
    assert pane is not None
    assert image.evaluate("e => e.getBoundingClientRect().width") == pytest.approx(pane["width"], abs=1)


def test_the_outline_lies_on_the_change_and_can_be_switched_off(opened: Open) -> None:
    watched = opened()
    line = watched.page.locator(".ground-layer .line").first
    spot, pane = line.bounding_box(), watched.page.locator(".ground-pane").bounding_box()
    assert spot is not None
    assert pane is not None
    assert (spot["x"] - pane["x"]) / pane["width"] == pytest.approx(10 / 50, abs=0.02)
    assert (spot["y"] - pane["y"]) / pane["height"] == pytest.approx(8 / 40, abs=0.02)
    watched.page.get_by_label("Outlines on the pictures").uncheck()
    assert watched.page.locator(".ground-layer .line").count() == 0
    watched.page.get_by_label("Outlines on the pictures").check()
    assert watched.page.locator(".ground-layer .line").count() == 2


def test_cloud_is_hatched_where_it_is_and_nowhere_else(opened: Open) -> None:
    watched = opened()
    watched.page.wait_for_function(
        """() => {
          const canvas = document.querySelector('.ground-layer canvas');
          const share = (x) => {
            const { data } = canvas.getContext('2d').getImageData(x, 0, canvas.width / 2 - 4, canvas.height);
            let count = 0;
            for (let k = 3; k < data.length; k += 4) count += data[k] > 0;
            return count / (data.length / 4);
          };
          return share(0) === 0 && share(canvas.width / 2 + 4) > 0.15;
        }""",
        timeout=5000,
    )
    assert watched.page.locator(".ground-layer canvas").count() == 1


def test_any_two_looks_can_be_chosen_and_stand_in_the_address(opened: Open) -> None:
    watched = opened()
    page = watched.page
    options = page.locator(".look-picker select").nth(0).locator("option").all_text_contents()
    assert len(options) == 6
    assert options[2] == f"{DAYS[2]}, Unchanged, 50 % clear, landsat-8"
    assert options[4].endswith("landsat-8, simulated")
    page.locator(".look-picker select").nth(0).select_option("0")
    page.locator(".look-picker select").nth(1).select_option("4")
    _mode(watched, "Fade")
    assert _seen(watched) == [DAYS[0].isoformat(), DAYS[4].isoformat()]
    assert page.locator(".look-tag-second .simulated").count() == 1
    wanted = [f"pair={DAYS[0]},{DAYS[4]}", "mode=fade"]  # the address follows within a fifth of a second
    page.wait_for_function(
        "wanted => wanted.every((part) => decodeURIComponent(location.hash).includes(part))", arg=wanted
    )
    again = opened(page.evaluate("location.hash.slice(1)"))
    assert _seen(again) == [DAYS[0].isoformat(), DAYS[4].isoformat()]
    assert again.page.locator("[data-mode=fade]").first.get_attribute("aria-pressed") == "true"
    again.page.get_by_role("button", name="Swap").click()
    assert _seen(again) == [DAYS[4].isoformat(), DAYS[0].isoformat()]


def test_two_series_are_not_compared_in_silence_and_lie_on_the_same_ground(opened: Open) -> None:
    watched = opened(f"site=valley&pair={DAYS[0]},{FINE_DAY}")
    assert _seen(watched) == [DAYS[0].isoformat(), FINE_DAY.isoformat()]
    told = watched.page.locator(".compare-stretch")
    assert "warned" in (told.get_attribute("class") or "")
    assert "These looks are of two series (landsat, sentinel-2)" in (told.text_content() or "")
    places = watched.page.locator(".compare-stage img").evaluate_all(
        "all => all.map(i => [i.naturalWidth, Math.round(i.getBoundingClientRect().width)])"
    )
    assert [each[0] for each in places] == [150, 50]
    assert places[0][1] == places[1][1]


def test_counts_without_a_scale_are_said_not_to_compare(
    entry: SiteEntry, make_chip: Callable[..., Chip], tmp_path: Path, open_page: Open
) -> None:
    shots = [Shot(make_chip(day, scale=None), "Learning") for day in DAYS[:2]]
    bare = replace(entry, detections=(), looks=(), album=make_album("valley", "Here", shots, clear_looks=2))
    watched = open_page(write_site_map(MapView("t", datetime(2026, 1, 1, tzinfo=UTC), (bare,)), tmp_path))
    watched.choose("valley")
    assert "Each has its own stretch, because counts without a scale" in watched.text(".compare-stretch")
    assert "No detection is outlined here." in watched.text(".compare")


def test_hostile_credits_and_platforms_are_shown_as_written(opened: Open) -> None:
    watched = opened(f"site=valley&pair={DAYS[0]},{FINE_DAY}")
    caption = watched.page.locator(".look-caption").nth(1).text_content() or ""
    assert PAYLOADS[0] in caption
    assert PAYLOADS[1] + PAYLOADS[18] in caption
    watched.page.locator(".contact-fold summary").first.click()
    watched.page.locator(".contact-picture").first.wait_for()
    watched.page.wait_for_timeout(200)
    assert watched.page.evaluate("window.__ran") == []
    assert watched.problems == []


def test_a_hostile_address_changes_nothing(opened: Open) -> None:
    watched = opened("site=valley&mode=%3Cscript%3E&pair=__proto__,constructor")
    assert _seen(watched) == [DAYS[1].isoformat(), DAYS[2].isoformat()]
    assert watched.problems == []


def test_the_contact_sheet_lists_what_lies_between_the_pictures(opened: Open) -> None:
    watched = opened()
    watched.page.locator(".contact-fold summary").first.click()
    watched.page.locator(".contact-picture").first.wait_for()
    days = watched.page.locator(".contact-picture time").all_text_contents()
    assert days == [day.isoformat() for day in (*DAYS, FINE_DAY)]
    first, second = DAYS[0] + timedelta(days=8), DAYS[0] + timedelta(days=16)
    assert watched.page.locator(".contact-gap > span").all_text_contents() == [
        f"{first} to {second}: 2 obscured"
    ]
    assert "6 pictures of 30 clear looks; 8 looks in all, 2 obscured." in watched.text(".contact-box .fine")


def test_the_card_of_a_detection_leads_to_its_pair(opened: Open) -> None:
    watched = opened(f"site=valley&pair={DAYS[0]},{DAYS[4]}")
    watched.page.get_by_role("button", name="Swipe, fade or blink them").click()
    assert _seen(watched) == [DAYS[1].isoformat(), DAYS[2].isoformat()]
    expect(watched.page.locator("#looks-compared")).to_be_focused()


def test_pictures_of_another_site_are_not_shown(
    entry: SiteEntry, valley: Site, tmp_path: Path, open_page: Open
) -> None:
    entries = (entry, SiteEntry(replace(valley, id="market", observations=())))
    path = write_site_map(MapView("t", datetime(2026, 1, 1, tzinfo=UTC), entries), tmp_path)
    # as if a fault had filed them under the other one
    path.write_text(
        path.read_text("utf-8").replace('"sitewatch-pictures-0"', '"sitewatch-pictures-1"'), "utf-8"
    )
    watched = open_page(path)
    watched.choose("market")
    assert "its pictures are of valley" in watched.text("#panel [role=alert]")
    assert watched.page.locator("#panel img").count() == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_the_box_fits_its_window(opened: Open, width: int) -> None:
    watched = opened(width=width)
    for name in ("Fade", "Blink", "Side by side", "Swipe"):
        _mode(watched, name)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = watched.page.locator(".compare button:visible").evaluate_all(
            "all => all.map(e => Math.min(e.offsetWidth, e.offsetHeight))"
        )
        assert min(sizes) >= 24  # WCAG 2.2, 2.5.8
