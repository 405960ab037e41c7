"""`tacit board` ends what it has started, whatever ends it."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from tacit.training.board import server
from tacit.training.board.server import serve
from tacit.training.runs.signals import stopping_on_signals

# Starts a process of its own, as TensorBoard does, notes both, and has its parent signalled.
CHILD = """
import os, signal, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {other.pid}")
os.kill(os.getppid(), getattr(signal, sys.argv[2]))
time.sleep(60)
"""


def is_alive(number):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 0), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_the_child_and_its_child(tmp_path, name, code):
    before = signal.getsignal(getattr(signal, name))
    note = tmp_path / "pids"
    with stopping_on_signals():
        assert serve([sys.executable, "-c", CHILD, str(note), name]) == code
    assert signal.getsignal(getattr(signal, name)) == before
    for number in note.read_text().split():
        for _ in range(100):
            if not is_alive(number):
                break
            time.sleep(0.05)
        assert not is_alive(number)


def test_a_child_that_ends_by_itself_gives_its_code():
    assert serve([sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_while_the_process_is_being_started_leaves_none_behind(monkeypatch, name):
    began = []
    start = server.subprocess.Popen

    def popen(*words, **options):
        os.kill(os.getpid(), getattr(signal, name))
        began.append(start(*words, **options))
        return began[0]

    monkeypatch.setattr(server.subprocess, "Popen", popen)
    number = getattr(signal, name)
    before = signal.getsignal(number)
    signal.signal(number, signal.default_int_handler)
    try:
        assert serve([sys.executable, "-c", "import time; time.sleep(60)"]) == 0
    finally:
        signal.signal(number, before)
    assert began[0].poll() is not None
