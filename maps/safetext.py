"""Texts of the catalogue in the files that other programs read: XML, SQLite, tables."""

from __future__ import annotations

import re
from html import escape as html_escape
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 holds in no form (section 2.2)."""


def clean(text: str) -> str:
    r"""Return a text that XML, UTF-8 and C strings can hold: what they can't becomes U+FFFD.

    >>> clean("a\0b")
    'a\ufffdb'
    """
    return _NOT_XML.sub("\ufffd", text)


def xml_text(text: str) -> str:
    """Return a text as the content of an XML element."""
    # ">" is written as an entity, so that no "]]>" comes about.
    return escape(clean(text), {"\r": "&#13;"})


def xml_attribute(text: str) -> str:
    """Return a text as an attribute with its quotes."""
    return quoteattr(clean(text))


def html_in_xml(paragraphs: list[str]) -> str:
    """Return plain paragraphs for an element whose content is shown as HTML, such as KML's description.

    Escaped twice, since it is read twice. A dollar stands as a reference: Google Earth fills in ``$[name]``.
    """
    html = "".join(f"<p>{_html(text)}</p>" for text in paragraphs if text)
    return xml_text(html)


def _html(text: str) -> str:
    return html_escape(clean(text)).replace("$", "&#36;").replace("\n", "<br>")
