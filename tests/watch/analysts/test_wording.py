from __future__ import annotations

from pathlib import Path

import pytest

from watch.errors import TemplateError
from watch.wording import MAX_OUTPUT_CHARACTERS, MAX_TEMPLATE_BYTES, Wording, find_wording

VALUES = {
    "title": "Sites <b>",
    "more": 0,
    "news": [
        {"title": "Yard: probable change", "lines": ["Between A and B."], "area_m2": 32_400.0, "lat": None}
    ],
    "seen_sentences": ["4 looks."],
}


def fill(source: str, *, html: bool = False) -> str:
    return Wording(source, "t", html=html).fill(VALUES)


def test_what_templates_may_do() -> None:
    source = (
        "{{ title|upper }}{% for each in news %}\n{{ loop.index }}. {{ each.title }} "
        "{{ each['area_m2']|round(1) }}{% if each.lat is none %} nowhere{% endif %}"
        "{% for line in each.lines %} {{ line }}{% endfor %}{% endfor %}"
        "{{ ' and more' if more > 0 else '.' }}{{ missing|default('-') }}"
    )
    assert fill(source) == "SITES <B>\n1. Yard: probable change 32400.0 nowhere Between A and B..-"


def test_html_is_escaped_and_can_not_be_told_not_to_be() -> None:
    assert fill("{{ title }}", html=True) == "Sites &lt;b&gt;"
    with pytest.raises(TemplateError, match="filter 'safe'"):
        fill("{{ title|safe }}", html=True)
    with pytest.raises(TemplateError, match="Scope"):
        fill("{% autoescape false %}{{ title }}{% endautoescape %}", html=True)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ title['__class__'] }}",
        "{{ news[0]['__class__'] }}",
        "{{ title|attr('__class__') }}",
        "{{ title.format() }}",
        "{{ '{0.__class__}'.format(title) }}",
        "{{ '%s' % title }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__['os'].environ }}",
        "{{ range(10**9)|list }}",
        "{{ 'x' * 10**9 }}",
        "{{ title ~ title }}",
        "{{ 9**9**9 }}",
        "{% set x = title %}",
        "{% import 'other.txt' as o %}",
        "{% include '/etc/passwd' %}",
        "{% extends '/etc/passwd' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% call title() %}{% endcall %}",
        "{% for a in news recursive %}{{ loop(news) }}{% endfor %}",
        "{% for a in news %}{% for b in news %}{% for c in news %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in title %}x{% endfor %}",
        "{% for a in 'xxxx' %}x{% endfor %}",
        "{% for a in [1, 2] %}x{% endfor %}",
        "{{ news|map(attribute='title')|join }}",
        "{{ title|center(1000000000) }}",
        "{{ news|tojson }}",
        "{{ news|pprint }}",
        "{% filter upper %}x{% endfilter %}",
        "{{ title[0:1] }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 20_000,
        "{% if 1 %}" * 200 + "{% endif %}" * 200,
        "{% for a in news",
        "{{ more.real }}",
        "{{ title.upper }}",
        "{{ news.append }}",
        "{{ news[0].keys }}",
        "{{ config }}",
        "{{ 1 // 0 }}",
        "{{ 'x'|round }}",
    ],
)  # fmt: skip
def test_attacks_are_refused(attack: str) -> None:
    with pytest.raises(TemplateError) as caught:
        fill(attack)
    assert len(str(caught.value)) < 300


def test_more_than_fits_is_refused() -> None:
    line = "x" * (MAX_OUTPUT_CHARACTERS // 10)
    with pytest.raises(TemplateError, match="characters come out"):
        Wording("{% for a in news %}{{ title }}{% endfor %}", "t").fill({"news": [0] * 11, "title": line})


def test_templates_come_from_the_workspace_alone(tmp_path: Path) -> None:
    assert find_wording(tmp_path, "digest.txt") is None
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "digest.html").write_text("{{ title }}")
    found = find_wording(tmp_path, "digest.html")
    assert found is not None
    assert found.fill(VALUES) == "Sites &lt;b&gt;"
    (tmp_path / "outside").write_text("x")
    (folder / "digest.txt").symlink_to(tmp_path / "outside")
    with pytest.raises(TemplateError, match="not a plain file"):
        find_wording(tmp_path, "digest.txt")
    (folder / "subject.txt").write_bytes(b"\xff")
    with pytest.raises(TemplateError, match="not UTF-8"):
        find_wording(tmp_path, "subject.txt")
    (folder / "subject.txt").write_bytes(b"x" * (MAX_TEMPLATE_BYTES + 1))
    with pytest.raises(TemplateError, match="bytes"):
        find_wording(tmp_path, "subject.txt")
