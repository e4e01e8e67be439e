from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from watch.errors import WorkspaceBusyError
from watch.lock import holder, writing

HOLD = """
import pathlib, sys, time
from watch.lock import writing
with writing(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_writer_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(WorkspaceBusyError, match=str(os.getpid())), writing(tmp_path):
        pass


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert re.fullmatch(
            rf"process {process.pid}, since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ", holder(tmp_path)
        )
        with pytest.raises(WorkspaceBusyError, match=holder(tmp_path)), writing(tmp_path):
            pass
        process.kill()
        process.wait()
        assert holder(tmp_path) == ""
        with writing(tmp_path):
            pass
    finally:
        process.kill()
        process.communicate()


def test_nobody_holds_what_was_let_go_or_never_taken(tmp_path: Path) -> None:
    assert holder(tmp_path) == ""
    with writing(tmp_path):
        assert str(os.getpid()) in holder(tmp_path)
    assert holder(tmp_path) == ""
