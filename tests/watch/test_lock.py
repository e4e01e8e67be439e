from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from watch.errors import WorkspaceBusyError
from watch.lock import writing

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
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusyError), writing(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with writing(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
