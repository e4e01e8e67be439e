"""Why something went wrong, in one line that gives no secret away."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from geo.errors import SitewatchError

MAX_CAUSE = 300
"""Characters of a cause; whoever needs more runs that site alone."""

_HIDDEN = "***"
_SECRETS = (
    # user:password@ of an address, its query, what follows a telling word, and anything that long and opaque
    (re.compile(r"(?<=://)[^\s/@]+(?=@)"), _HIDDEN),
    (re.compile(r"(?<=[^\s?])\?[^\s'\"]*=[^\s'\"]*"), f"?{_HIDDEN}"),
    (
        re.compile(
            r"(?i)\b((?:\w*[_-])?(?:secret|token|password|passwd|api[_-]?key|authorization|bearer|signature))"
            r"(['\"]?\s*[=:]\s*|\s+)(?:bearer\s+)?\S+"
        ),
        rf"\1\2{_HIDDEN}",
    ),
    (re.compile(r"[A-Za-z0-9+_=-]{40,}"), _HIDDEN),
)


def short_cause(error: BaseException) -> str:
    """Return what went wrong in one line: ours as it stands, anything else with its kind and its place.

    >>> short_cause(ValueError("at https://me:hush@example.org/a?key=1"))
    'ValueError: at https://***@example.org/a?***'
    """
    text = scrubbed(" ".join(str(error).split()))
    if isinstance(error, SitewatchError):
        return text[:MAX_CAUSE]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    said = f": {text}" if text else ""
    return f"{type(error).__name__}{said}"[: MAX_CAUSE - len(place)] + place


def scrubbed(text: str) -> str:
    """Return a text without what looks like a secret."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
