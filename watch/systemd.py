"""A recipe for systemd: a service that runs once, and the timer that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watch.schedule import PUBLISHED_AFTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch.schedule import Recipe

UNIT_FOLDER = "~/.config/systemd/user"
_END_S = 2 * 3600
"""What a site that was begun just before the deadline, and the map, may still take."""

_SERVICE = """\
# Enable with: systemctl --user daemon-reload && systemctl --user enable --now {name}.timer
# To have it run while you are logged out: loginctl enable-linger
[Unit]
Description=sitewatch: look at what is due in {root}
RequiresMountsFor={mount}

[Service]
Type=oneshot
ExecStart={run}
ExecStart={map}
# 3: a site failed or time ran out; 4: the budget is used up. health.json says which; the map is made anyway.
SuccessExitStatus={codes}
# SIGTERM ends a run after the look that it is at; the next one carries on from there.
KillSignal=SIGTERM
TimeoutStartSec={timeout_s}
TimeoutStopSec=300
Nice=10
NoNewPrivileges=yes
"""

_TIMER = """\
[Unit]
Description=sitewatch: when to look at what is due in {root}

[Timer]
OnCalendar={calendar}
# A machine that was off at that time makes up for it when it is on again.
Persistent=true
RandomizedDelaySec={jitter_s}
AccuracySec=1min

[Install]
WantedBy=timers.target
"""


def systemd_units(recipe: Recipe) -> dict[str, str]:
    """Return the two units of a user's own systemd, by file name.

    Source: systemd.timer(5), systemd.time(7) for the time zone, systemd.service(5) "COMMAND LINES".
    """
    codes = " ".join(str(code) for code in PUBLISHED_AFTER if code)
    service = _SERVICE.format(
        name=recipe.name,
        root=_specifiers(str(recipe.root)),
        mount=_quoted(str(recipe.root)),
        run=command_line(recipe.run),
        map=command_line(recipe.map),
        codes=codes,
        timeout_s=int(recipe.deadline.total_seconds()) + _END_S,
    )
    calendar = f"*-*-* {recipe.hour:02}:{recipe.minute:02}:00" + (f" {recipe.zone}" if recipe.zone else "")
    jitter_s = int(recipe.jitter.total_seconds())
    timer = _TIMER.format(root=_specifiers(str(recipe.root)), calendar=calendar, jitter_s=jitter_s)
    return {f"{recipe.name}.service": service, f"{recipe.name}.timer": timer}


def command_line(words: Sequence[str]) -> str:
    r"""Return words as a command line of a unit, in which none of them means more than itself.

    >>> print(command_line(["/bin/echo", "50% of $HOME", 'a"b']))
    :"/bin/echo" "50%% of $HOME" "a\"b"
    """
    # The colon: no variable is put in for what follows a dollar sign.
    return ":" + " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specifiers(escaped)}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
