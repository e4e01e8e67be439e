"""Templates of the user's own, filled in where they can do no harm.

A template may print values, walk lists, and choose; that is all. Which parts of the language it may use is
checked before anything runs: no calls, no arithmetic, no assignments, no imports, no names that begin with
an underscore. So it can neither reach an object behind a value nor build a text or a loop larger than what
it was given. Jinja's sandbox runs it all the same, values that are missing are errors, and the output is
bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment

from geo.errors import Where
from watch.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATES_FOLDER = "templates"
MAX_TEMPLATE_BYTES = 2**16
MAX_OUTPUT_CHARACTERS = 2**20
MAX_LOOPS_DEEP = 2
MAX_NODES = 2000

_FILTERS = frozenset(
    {"default", "e", "escape", "first", "last", "length", "lower", "round", "title", "trim", "upper"}
)
_TESTS = frozenset(
    {"defined", "none", "equalto", "eq", "ne", "lt", "le", "gt", "ge", "in", "number", "string", "undefined"}
)
_COUNTERS = frozenset({"index", "index0", "revindex", "first", "last", "length"})
LISTS = frozenset({"news", "seen_sentences"})
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
)

HTML = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="font-family: sans-serif; max-width: 44em">
<h1 style="font-size: 1.2em">{{ subject }}</h1>
{% for news in news %}<h2 style="font-size: 1em">{{ news.title }}</h2>
{% for line in news.lines %}<p>{{ line }}</p>
{% endfor %}{% endfor %}{% if more %}<p>... and {{ more }} more.</p>
{% endif %}{% for line in seen_sentences %}<p>{{ line }}</p>
{% endfor %}</body></html>
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """A user's template, checked."""

    source: str
    name: str
    """As errors call it."""
    html: bool = False
    """Whether values are escaped for HTML."""

    def __post_init__(self) -> None:
        """Refuse what templates may not do.

        Raises:
            TemplateError: With the line.
        """
        _check(_parsed(self), self.name)

    def fill(self, values: Mapping[str, Any]) -> str:
        """Return the template with values in it.

        Args:
            values: Plain JSON values.

        Raises:
            TemplateError: A value is missing, or the text gets too long.
        """
        written: list[str] = []
        size = 0
        try:
            for part in _environment(html=self.html).from_string(self.source).generate(dict(values)):
                size += len(part)
                if size > MAX_OUTPUT_CHARACTERS:
                    self._refuse(f"more than {MAX_OUTPUT_CHARACTERS:,} characters come out")
                written.append(part)
        except TemplateError:
            raise
        except JinjaError as error:
            self._refuse(f"can't be filled in: {error.message}")
        except (TypeError, ValueError, OverflowError, RecursionError, SyntaxError) as error:
            self._refuse(f"can't be filled in: {type(error).__name__}")
        return "".join(written)

    def _refuse(self, problem: str) -> None:
        raise TemplateError(problem, where=Where(self.name)) from None


def find_wording(root: Path, name: str) -> Wording | None:
    """Return the user's template of a name, from the workspace's own folder; None where there is none.

    Raises:
        TemplateError: It leads out of the folder, is too large, or does what templates may not do.
    """
    folder = root / TEMPLATES_FOLDER
    path = folder / name
    where = Where(str(path))
    if not path.exists():
        return None
    if path.is_symlink() or folder.is_symlink() or not path.is_file():
        raise TemplateError("not a plain file of the workspace", where=where, hint="Copy it there")
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"more than {MAX_TEMPLATE_BYTES:,} bytes", where=where)
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError("not UTF-8", where=where) from error
    return Wording(source, str(path), html=path.suffix == ".html")


class _Environment(SandboxedEnvironment):
    """Jinja that sees plain values only: members of mappings, items of lists, the counters of a loop."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - jinja's signature
        """Return a member of a mapping; no attribute of any Python object is in reach."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _COUNTERS:
            return getattr(obj, attribute)
        return self.undefined(f"there is no {attribute!r} here")

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - likewise
        """Return a member of a mapping or an item of a list."""
        if isinstance(obj, dict | list):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(f"there is no {argument!r} here")


def _environment(*, html: bool) -> _Environment:
    environment = _Environment(undefined=StrictUndefined, autoescape=html, keep_trailing_newline=True)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in sorted(_FILTERS)}
    environment.tests = {name: environment.tests[name] for name in sorted(_TESTS)}
    return environment


def _parsed(wording: Wording) -> nodes.Template:
    try:
        return _environment(html=wording.html).parse(wording.source)
    except TemplateSyntaxError as error:
        where = Where(wording.name, line=error.lineno)
        raise TemplateError(f"not a template: {error.message}", where=where) from None
    except (RecursionError, ValueError) as error:
        where = Where(wording.name)
        raise TemplateError(f"not a template: {type(error).__name__}", where=where) from None


def _check(root: nodes.Template, name: str) -> None:
    stack: list[tuple[nodes.Node, int]] = [(root, 0)]
    seen = 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        problem = f"more than {MAX_NODES} parts" if seen > MAX_NODES else _problem(node, depth)
        if problem:
            where = Where(name, line=getattr(node, "lineno", None))
            raise TemplateError(problem, where=where, hint="docs/notify.md says what templates may do")
        inner = depth + isinstance(node, nodes.For)
        stack.extend((child, inner) for child in node.iter_child_nodes())


def _problem(node: nodes.Node, depth: int) -> str:
    """Return why a part of a template is refused; empty where it isn't."""
    if not isinstance(node, _ALLOWED):
        return f"templates may not use {type(node).__name__}"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"templates may not ask for {node.attr[:40]!r}"
    if isinstance(node, nodes.Getitem) and not _is_plain_key(node.arg):
        return "templates may only ask for items by a plain name or number"
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        return f"templates may not use the filter {node.name[:40]!r}"
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        return f"templates may not use the test {node.name[:40]!r}"
    return _loop_problem(node, depth) if isinstance(node, nodes.For) else ""


def _loop_problem(node: nodes.For, depth: int) -> str:
    if node.recursive or depth >= MAX_LOOPS_DEEP:
        return f"templates may not loop recursively or more than {MAX_LOOPS_DEEP} deep"
    listed = node.iter
    is_list = (isinstance(listed, nodes.Name) and listed.name in LISTS) or (
        isinstance(listed, nodes.Getattr) and listed.attr == "lines"
    )
    # Texts can be walked, too, letter by letter: long enough to keep a machine busy.
    return "" if is_list else f"templates may only walk {', '.join(sorted(LISTS))} and the lines of a news"


def _is_plain_key(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Const):
        return False
    return isinstance(node.value, int) or (isinstance(node.value, str) and not node.value.startswith("_"))
