# ruff: noqa: RUF001, E501 - letters that look like others are what some of these are about
"""Texts that try to leave the place where they are shown: script, markup, templates, addresses, Unicode.

`alert` is replaced by the tests' pages with a function that remembers it was called.
"""

from __future__ import annotations

from functools import lru_cache

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

BEAT = "alert(1)"

# Where a saved map was seen to run what stood in a name or a note (folium 0.20): as markup, in a string or
# template of script, behind an escape, as an attribute.
TABLE = (
    "<img src=x onerror=alert(1)>${alert(1)}",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "&#36;{alert(1)}",
    "\\${alert(1)}",
    "\\\\${alert(1)}",
    "`;alert(1);`",
    "`+alert(1)+`",
    "\\`;alert(1)//",
    "'-alert(1)-'",
    '"-alert(1)-"',
    "\\'-alert(1)//",
    '\\"-alert(1)//',
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\u003cimg src=x onerror=alert(1)\\u003e",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
)

MARKUP = (
    "</ScRiPt ><svg/onload=alert(1)>",
    "<!--<script>alert(1)",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><set onbegin=alert(1) attributename=x>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)/>#x'>",
    "<svg><a xlink:href=javascript:alert(1)><text y=20>x</text></a></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:parent.alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<base href=https://example.org/>",
    "<link rel=stylesheet href=https://example.org/a.css>",
    "<link rel=prefetch href=https://example.org/x><link rel=dns-prefetch href=//example.org>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    '<meta http-equiv=Content-Security-Policy content="default-src *">',
    "<form action=https://example.org/><button>x</button></form>",
    "<form><button formaction=javascript:alert(1)>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<body onpageshow=alert(1)>",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<img srcset='https://example.org/a.png 1x'>",
    '<img src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\'>',
    "<picture><source srcset=https://example.org/a></picture>",
    "<template shadowrootmode=open><script>alert(1)</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<textarea></textarea><script>alert(1)</script>",
    "<title></title><script>alert(1)</script>",
    "<plaintext>",
    "<xmp><script>alert(1)</script></xmp>",
    "<select><option></select><script>alert(1)</script>",
    "<table><td background=https://example.org/x.png>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href=java\tscript:alert(1)>x</a>",
    "<a href='https://example.org' ping='https://example.org/ping'>x</a>",
    "<a id=startSitewatch><a id=startSitewatch name=get>",
    "<img name=getElementById><img name=createElement>",
    "<form id=document><input name=body></form>",
    "<div id=sitewatch-data>{}</div>",
    "<script type=application/gzip id=sitewatch-data>AAAA</script>",
    '<script type=importmap>{"imports":{}}</script>',
    "<script src=//example.org/x.js></script>",
    "<script>alert(1)//",
    "<script\n>alert(1)</script\n>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1);//<</script>",
    "<IMG SRC=jAvAsCrIpT:alert(1)>",
    '<IMG """><SCRIPT>alert(1)</SCRIPT>">',
    "<img/src/onerror=alert(1)>",
    "<a<b",
    "<",
    ">",
    "&",
    "&amp;",
    "&lt;",
    "&nbsp;x",
    "&#x3c;script&#x3e;alert(1)&#x3c;/script&#x3e;",
    "&#0000060script&#0000062alert(1)",
    "&NewLine;&Tab;javascript&colon;alert(1)",
    "</td></tr></table><script>alert(1)</script>",
    "</title></style></textarea></noscript></template></script><img src=x onerror=alert(1)>",
)

SCRIPT = (
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    '";alert(1);//',
    "';alert(1);//",
    "\\",
    "\\\\",
    "\\n",
    '\\";alert(1);//',
    "*/alert(1)/*",
    "//",
    "/*",
    "alert(1)",
    "(function(){alert(1)})()",
    "[].constructor.constructor('alert(1)')()",
    "{toString(){alert(1)}}",
    '{"__proto__": {"polluted": true}}',
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toString",
    "valueOf",
    "then",
    "null",
    "undefined",
    "NaN",
    "true",
    "-0",
    "1e309",
    "import('https://example.org/x.js')",
    "fetch('https://example.org/')",
    "new Image().src='https://example.org/'",
    "navigator.sendBeacon('https://example.org/')",
    "document.write('<script>alert(1)</script>')",
    "setTimeout('alert(1)')",
    "location='javascript:alert(1)'",
    '<!--#exec cmd="id"-->',
    "a\u2028alert(1)\u2029b",
)

TEMPLATES = (
    "{{ alert(1) }}",
    "{{7*7}}",
    "{{ this }}{% raw %}",
    "{% endraw %}{{ this._parent }}",
    "{%- macro script(this, kwargs) -%}alert(1){%- endmacro -%}",
    "{# comment #}",
    "{{constructor.constructor('alert(1)')()}}",
    "{{ cycler.__init__.__globals__.os.popen('id') }}",
    "#{7*7}",
    "${{7*7}}",
    "<%= 7*7 %>",
    "@{alert(1)}",
    "%s %d %n %(name)s {0} {name!r:>{width}}",
    "$HOME `id` $(id) ; id | id && id",
    "%{alert(1)}",
    "[[${7*7}]]",
    "*{7*7}",
    "~{alert(1)}",
)

ADDRESSES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\u0000script:alert(1)",
    "\u0001javascript:alert(1)",
    " javascript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript://example.org/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://example.org/1",
    "//example.org/x",
    "\\\\example.org\\x",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/'><script>alert(1)</script>",
    "https://user:pass@example.org/",
    "https://example.org@evil.example/",
    "https://еxample.org/",
    "https://example.org/%3Cscript%3E",
    "http://[::1]/",
    "http://127.0.0.1:9/",
    "https://example.org/\u202egpj.exe",
    "about:blank",
    "view-source:https://example.org",
    "mailto:a@example.org?body=alert(1)",
    "#site=valley",
    '#"><img src=x onerror=alert(1)>',
    "?q=</script><script>alert(1)</script>",
    "../../../etc/passwd",
    "..\\..\\windows\\system32",
    "%2e%2e%2f%00",
)

STYLES = (
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    "red;background:url(https://example.org/x.png)",
    "url(https://example.org/x)",
    "expression(alert(1))",
    "@import 'https://example.org/a.css';",
    "position:fixed;inset:0;z-index:99999",
    "}*{display:none}",
    "x{background:url(javascript:alert(1))}",
    "\\000061lert",
    "-moz-binding:url(https://example.org/x.xml#x)",
    "behavior:url(#default#time2)",
    "</style><style>@font-face{src:url(//example.org/f)}",
    "content:attr(title)",
    "var(--ink)",
)

UNICODE = (
    "\u202eevil\u202d\u2066flipped",
    "\u2067right\u2069\u2068first\u2069",
    "abc\u202e\u202e\u202e\u202etxt.exe",
    "\u061cعربي\u200f123",
    "עברית <script>alert(1)</script>",
    "\u200b\ufeffhidden\u2060\u00ad",
    "zero\u200bwidth\u200cjoin\u200der",
    "Z\u0351\u036b\u0343" * 60,
    "\u0301\u0301\u0301combining first",
    "한글 조선민주주의인민공화국",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "漢字・かな・ｶﾅ",
    "👩\u200d👩\u200d👧\u200d👦 🇰🇵 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001f600" * 40,
    "\ufdfd\ufdfa",
    "\ufffc\ufffd\ufffe",
    "\ue000\uf8ff private",
    "\U0010ffff\U000e0001",
    "\u00a0no-break\u202fspaces\u3000",
    "\u2000\u2001\u2002x\u2003\u2004",
    "İstanbul ıi ß ŉ ǰ",
    "ﬀ ﬁ ﬂ ① ²",
    "＜script＞alert(1)＜/script＞",
    "‹script›alert(1)‹/script›",
    "ʼ;alert(1)//",
    "\u0085next line",
    "\u180emongolian\u115f\u1160\u3164filler",
    "a\u0338b\u20d2",
    "\u05d0\u05b8\u05bc",
    "ཀྵྨླྺྼྻྂ",
    "𝒜𝓁ℯ𝓇𝓉(1)",
    "\u2062\u2063\u2064invisible",
    "\ufe0f\ufe0e",
    "x\ud7a3\uac00",
)

FORMATS = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.org","x")',
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "'=1+1",
    "''quoted",
    '"quoted"',
    '""',
    "a,b;c\td|e",
    'a"b""c',
    '{"a": 1}',
    "[1, 2]",
    "[[[[[[[[[[]]]]]]]]]]",
    '{"type":"FeatureCollection","features":[]}',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "&e;",
    "<kml><Document><name>x</name></Document></kml>",
    "<description><![CDATA[<img src=x onerror=alert(1)>]]></description>",
    "'; DROP TABLE looks; --",
    "1' OR '1'='1",
    "# comment",
    "--- yaml: [a]",
    "!!python/object/apply:os.system ['id']",
    "0",
    "00123",
    "1,234.5",
    "2016-06",
    "../2014",
    "39.03, 125.75",
    "NULL",
    "#REF!",
    "first line\nsecond line",
    "tab\there",
)

LONG = (
    "x" * 10_000,
    "가" * 10_000,
    "<b>" * 3_000,
    "long " * 2_000,
    "\u202e" * 500 + "x",
    "https://example.org/" + "a" * 5_000,
)

_PIECES = (
    "<script>", "</script>", "<!--", "-->", "<img src=x onerror=alert(1)>", "${alert(1)}", "{{", "}}", "`", "'", '"',
    "\\", "</", "/>", "&lt;", "&#60;", "javascript:", "alert(1)", "\u202e", "\u2028", "\u200b", "%3C", "\\u003c", "]]>",
    "on", "=", " ", "가", "\u0301", "\U0001f600", "<svg/onload=alert(1)>", "</style>", "//", "/*", "*/", "${", "}", "\n",
)  # fmt: skip

GENERATED = 400


@lru_cache(maxsize=1)
def generated() -> tuple[str, ...]:
    """Return texts that hypothesis makes, the same ones each time: of dangerous pieces, and of any characters."""
    found: dict[str, None] = {}
    any_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
    pieces = st.lists(st.sampled_from(_PIECES), min_size=2, max_size=9).map("".join)
    mixed = st.tuples(any_text, pieces, any_text).map("".join)

    @settings(max_examples=3 * GENERATED, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck), deadline=None)  # fmt: skip
    @given(st.one_of(pieces, mixed, any_text))
    def collect(text: str) -> None:
        if not text.isspace():
            found.setdefault(text)

    collect()
    return tuple(found)[:GENERATED]


@lru_cache(maxsize=1)
def payloads() -> tuple[str, ...]:
    """Return every payload once, the known ones first."""
    known = (*TABLE, *MARKUP, *SCRIPT, *TEMPLATES, *ADDRESSES, *STYLES, *UNICODE, *FORMATS, *LONG)
    return tuple(dict.fromkeys((*known, *generated())))
