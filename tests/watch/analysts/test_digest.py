from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.dates import parse_edtf
from imagery.model import Detection, DetectionState, Look, Outcome
from sites.model import Site
from sites.observation import Expectation, Observation
from watch.digest import Digest, digest_text, seen_sentences, subject_line
from watch.ledger import LookOutcome
from watch.news import (
    Kind,
    LastWord,
    News,
    Trouble,
    change_news,
    look_troubles,
    silence_news,
    trouble_news,
    withdrawn_news,
)
from watch.seen import Seen, seen
from watch.silence import silences
from watch.workspace import Workspace

NOW = datetime(2021, 6, 1, 6, tzinfo=UTC)
START, END = date(2021, 5, 25), date(2021, 6, 1)
MakeLook = Callable[..., Look]


def ended(day: int, outcome: Outcome = Outcome.UNCHANGED, site_id: str = "yard") -> LookOutcome:
    return LookOutcome(site_id, "landsat", START + timedelta(days=day), outcome, "why")


def counted(*looks: LookOutcome, before: dict[str, date] | None = None, sites: str = "yard") -> Seen:
    return seen(looks, before or {}, sites.split(), start=START, end=END)


def digest(counts: Seen, *news: News, held: int = 0) -> Digest:
    return Digest("Sites", NOW, news, counts, held)


def test_what_was_seen_is_counted_with_its_longest_blind_span() -> None:
    found = counted(
        ended(0),
        ended(2, Outcome.LEARNING),
        ended(3, Outcome.OBSCURED),
        ended(4, Outcome.FAILED),
        ended(1, Outcome.CHANGED, "other"),
        ended(1, Outcome.CHANGED, "not-watched"),
        before={"yard": START - timedelta(days=3), "other": START - timedelta(days=40)},
        sites="yard other",
    )
    assert (found.looks, found.clear, found.judged, found.obscured, found.failed) == (5, 3, 2, 1, 1)
    assert (found.judged_sites, found.unseen_sites) == (2, 0)
    assert found.longest is not None
    assert (found.longest.site_id, found.longest.days) == ("other", 41)


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(Outcome)), max_size=12), st.booleans())
def test_a_blind_span_is_as_long_as_counting_day_by_day_says(
    looks: list[tuple[int, Outcome]],
    has_before: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    before = {"yard": START - timedelta(days=20)} if has_before else {}
    found = counted(*(ended(day, outcome) for day, outcome in looks), before=before)
    blind_outcomes = {Outcome.OBSCURED, Outcome.FAILED}
    clear = {day for day, outcome in looks if outcome not in blind_outcomes} | (
        {-20} if has_before else set()
    )
    assert found.longest is not None
    if not clear:
        assert found.longest.days is None
        return
    longest, since = 0, min(clear)
    for day in range(min(clear), 8):
        if day in clear or day == 7:
            longest, since = max(longest, day - since), day
    assert found.longest.days == longest


def test_nothing_seen_never_reads_as_nothing_changed() -> None:
    for counts in (
        counted(),
        counted(ended(1, Outcome.OBSCURED), ended(2, Outcome.FAILED), ended(3, Outcome.LEARNING)),
    ):
        text = digest_text(digest(counts), 50)
        assert "whether anything changed in these days is not known" in text
        assert "no change" not in text.lower()
        assert "nothing changed" not in text.lower()
        assert "nothing" not in text.lower()


def test_a_quiet_week_says_how_often_it_could_see() -> None:
    counts = counted(ended(1), ended(3, Outcome.OBSCURED), before={"yard": START}, sites="yard other")
    judged = "1 look at 1 site could be judged; none of them gives a change to tell of."
    assert seen_sentences(digest(counts)) == (
        "2021-05-25 to 2021-06-01: 2 looks at 2 sites, 1 clear, 1 obscured, 0 failed.",
        f"{judged} Whether anything changed at the other 1 site is not known.",
        "1 site could not be seen once in these days.",
        "Longest blind span: other was never seen.",
    )
    assert subject_line(digest(counts)) == "Sites: no news, 1 clear of 2 looks"
    assert seen_sentences(digest(counted(sites=""))) == ("2021-05-25 to 2021-06-01: no site is watched.",)


def test_a_change_is_told_with_its_days_size_certainty_and_place(
    watched: Workspace, detection: Detection
) -> None:
    site = watched.catalogue().get("yard")
    news = change_news(detection, site, "dismissed by bo (dust)", None)
    assert news is not None
    assert digest_text(digest(counted(ended(1), before={"yard": START}), news, held=1), 50) == (
        "* Yard: probable change, about 32,400 m2 (SIMULATED)\n"
        "  Between 2021-04-17 (last clear look without it) and 2021-05-03 (first with it).\n"
        "  How big: about 32,400 m2.\n"
        "  How sure: probable, seen on 2 clear looks, 2.5 times its threshold, no p-value yet.\n"
        "  Where: 39.03000, 125.75400 (lat, lon).\n"
        "  Analysts: dismissed by bo (dust).\n"
        "  sitewatch review show det-0123456789ab\n"
        "\n"
        "1 more waits for a later word.\n"
        "\n"
        "2021-05-25 to 2021-06-01: 1 look at 1 site, 1 clear, 0 obscured, 0 failed.\n"
        "1 look at 1 site could be judged.\n"
        "Longest blind span: yard, 6 days from 2021-05-26 to 2021-06-01.\n"
    )
    many = digest_text(digest(counted(), news, replace(news, subject="det-b")), 1)
    assert "... and 1 more: sitewatch review list" in many


def test_intervals_kind_and_flags_are_told_where_they_are_known(
    watched: Workspace, detection: Detection
) -> None:
    known = replace(
        detection,
        date_interval_90="2021-04-20/2021-05-01",
        area_interval_m2=(30_000.0, 35_000.0),
        kind="brighter, like a roof",
        flags=("harvest laid out to dry fits, too",),
    )
    news = change_news(known, watched.catalogue().get("yard"), "", None)
    assert news is not None
    assert news.lines[1:3] == (
        "With 90 % between 2021-04-20 and 2021-05-01.",
        "How big: about 32,400 m2 (with 90 % 30,000 to 35,000).",
    )
    assert "Looks like: brighter, like a roof." in news.lines
    assert "But note: harvest laid out to dry fits, too." in news.lines


def last(news: News, times: int = 1) -> LastWord:
    return LastWord(news.state, times, news)


def test_only_changes_of_state_are_news(watched: Workspace, detection: Detection) -> None:
    site = watched.catalogue().get("yard")
    states = {state: replace(detection, state=state) for state in DetectionState}
    first = change_news(detection, site, "", None)
    assert first is not None
    assert change_news(states[DetectionState.CANDIDATE], site, "", None) is None
    assert change_news(states[DetectionState.RETRACTED], site, "", None) is None
    assert change_news(replace(detection, magnitude=9.0, looks_with=5), site, "", last(first)) is None
    confirmed = change_news(states[DetectionState.CONFIRMED], site, "", last(first))
    assert confirmed is not None
    assert "It was told as probable before." in confirmed.lines
    gone = change_news(states[DetectionState.RETRACTED], site, "", last(confirmed, 2))
    assert gone is not None
    assert "no longer held to be a change" in gone.title
    again = change_news(detection, site, "", last(gone, 3))
    assert again is not None
    withdrawn = withdrawn_news(last(first))
    ids = [each.id for each in (first, confirmed, gone, again, withdrawn)]
    assert len(set(ids)) == 5
    assert change_news(detection, site, "other words", None) is not None
    assert change_news(replace(detection, area_m2=1.0), site, "", None).id == first.id  # type: ignore[union-attr]


def test_images_that_fail_are_news_once_and_so_is_their_end(watched: Workspace) -> None:
    sites = {"yard": watched.catalogue().get("yard")}
    (failing,) = look_troubles([ended(1), ended(2, Outcome.FAILED)], sites)
    told = trouble_news(failing, None)
    assert told is not None
    assert told.lines == ("The image of 2021-05-27 (landsat) can't be looked at: why",)
    assert trouble_news(failing, last(told)) is None
    (well,) = look_troubles([ended(2, Outcome.FAILED), ended(3, Outcome.OBSCURED)], sites)
    assert trouble_news(well, None) is None
    over = trouble_news(well, last(told))
    assert over is not None
    assert over.title == "Yard: works again"
    assert trouble_news(Trouble("run", "The run", "out of disk"), last(over)) is not None


def expecting_site(watched: Workspace, date_: str, **changes: Any) -> Site:  # noqa: ANN401 - fields
    note = Observation(
        "note-a", parse_edtf(date_), "To be built.", expects=Expectation.CONSTRUCTION, **changes
    )
    return replace(watched.catalogue().get("yard"), observations=(note,))


def test_expected_activity_that_is_not_seen_is_news(
    watched: Workspace, detection: Detection, make_look: MakeLook
) -> None:
    site = expecting_site(watched, "2021-02/2021-03")
    history = [make_look(date(2020, 12, 1), Outcome.LEARNING)]
    after = [make_look(date(2021, 4, day)) for day in range(1, 7)]
    (silence,) = silences(site, [*history, *after], [], needed=6)
    assert (silence.judged, silence.last_judged, silence.expects) == (6, date(2021, 4, 6), "construction")
    assert "none of 6 looks after it that could be judged" in silence_news(silence, site).lines[0]
    assert silences(site, [*history, *after[1:]], [], needed=6) == ()
    assert silences(site, after, [], needed=6) == ()  # nothing to compare with
    obscured = [make_look(date(2021, 4, 9), Outcome.OBSCURED)] * 9
    assert silences(site, [*history, *after[1:], *obscured], [], needed=6) == ()
    assert silences(site, [*history, *after], [detection], needed=6) == ()
    taken_back = replace(detection, state=DetectionState.RETRACTED)
    assert len(silences(site, [*history, *after], [taken_back], needed=6)) == 1
    assert silences(expecting_site(watched, "2021-02/.."), [*history, *after], [], needed=6) == ()


texts = st.text(max_size=40)


@given(title=texts, lines=st.lists(texts, max_size=3), held=st.integers(0, 9))
def test_a_digest_survives_its_line(title: str, lines: list[str], held: int) -> None:
    news = News(Kind.CHANGE, "det-a", "probable", title, tuple(lines), "yard", title, 125.7, 39.0)
    for counts in (counted(), counted(ended(1)), counted(sites="")):
        made = digest(counts, news, held=held)
        again = Digest.from_json(json.loads(json.dumps(made.to_json())))
        assert again == replace(made, news=again.news)
        assert again.id == made.id
        assert digest_text(again, 50) == digest_text(made, 50)


def test_names_from_anywhere_stay_on_their_line() -> None:
    news = News(Kind.CHANGE, "det-a", "probable", "a\nBcc: x\u202e\x1b[2J", ("x" * 5000,))
    assert news.title == "a\ufffdBcc: x\ufffd\ufffd[2J"
    assert len(news.lines[0]) == 500


@pytest.mark.parametrize("state", ["probable", "confirmed"])
def test_one_news_is_its_own_subject(state: str) -> None:
    news = News(Kind.CHANGE, "det-a", state, f"Yard: {state} change", site_id="yard")
    other = replace(news, subject="det-b", site_id="quay")
    assert subject_line(digest(counted(), news)) == f"Yard: {state} change"
    assert subject_line(digest(counted(), news, other)) == "Sites: 2 news from 2 sites"
