"""Compilation is announced once it takes a while, and for as long as it lasts."""

from __future__ import annotations

import io
import logging
import sys
import time

import numba
import pytest
from rich.console import Console

from tacit.envs.jit import compiling
from tacit.envs.jit.compiling import LOGGER, TEXT, CompileWatch
from tacit.training.cli import _announce_compilation
from tacit.training.show import progress_bar


def until(condition):
    """Wait a moment for a timer's thread."""
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def impatient(monkeypatch, caplog):
    """A watch that announces at once; with what is logged."""
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    caplog.set_level(logging.INFO, LOGGER)
    return CompileWatch(), caplog


def test_it_is_announced_once(impatient):
    watch, log = impatient
    for _ in range(2):
        watch.on_start(None)
        watch.on_start(None)  # a kernel within a loop
        assert until(lambda: watch.announced)
        watch.on_end(None)
        assert watch.seconds() > 0
        watch.on_end(None)
        assert watch.seconds() == 0
    assert until(lambda: log.records)  # `announced` is set just before it is told
    assert [record.message for record in log.records] == [TEXT]


def test_what_is_quick_is_not_announced(monkeypatch, caplog):
    caplog.set_level(logging.INFO, LOGGER)
    watch = CompileWatch()
    for _ in range(3):
        watch.on_start(None)
        watch.on_end(None)
    assert not watch.announced
    assert watch._timer is None
    assert caplog.records == []
    # many quick ones are a long one: what is left of the patience counts
    watch._before = compiling.PATIENCE
    watch.on_start(None)
    assert until(lambda: watch.announced)
    watch.on_end(None)


def test_a_worker_compiles_for_its_parent(impatient):
    watch, log = impatient
    told = []
    worker = CompileWatch()
    worker.announced = True  # or its own announcement, at once here, may be counted below
    worker.tell = told.append
    worker.on_start(None)
    worker.on_end(None)
    assert told == [True, False]
    watch.elsewhere(True)
    watch.elsewhere(True)
    watch.elsewhere(False)
    assert watch.seconds() > 0
    assert until(lambda: watch.announced)
    watch.elsewhere(False)
    assert watch.seconds() == 0
    assert until(lambda: log.records)
    assert len(log.records) == 1


def test_numba_tells_the_watch():
    told = []
    compiling.follow_numba()  # as whatever compiles first has it
    watch = compiling.WATCH
    watch.tell = told.append
    try:
        f = numba.njit(lambda x: x + 1)
        assert f(1) == 2
        assert told == [True, False]
        assert f(2) == 3  # compiled already
        assert told == [True, False]
    finally:
        watch.tell = None


def test_the_bar_moves_and_says_why(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress_bar, "console", lambda stderr: console)
    with progress_bar.ProgressBar("price") as bar:
        bar.begin(100, 0)
        task = bar._progress.tasks[0]
        columns = bar._progress.columns
        assert (columns[0].render(task).total, str(columns[2].render(task))) == (100, "")
        monkeypatch.setattr(compiling.WATCH, "_began", time.monotonic() - 12)
        assert columns[0].render(task).pulse
        assert str(columns[2].render(task)) == f"{TEXT}: 12 s"
        monkeypatch.setattr(compiling.WATCH, "_began", 0.0)
        assert not columns[0].render(task).pulse


@pytest.mark.parametrize(("words", "printed"), [(["train"], f"{TEXT}\n"), (["x", "--json"], "")])
def test_a_command_prints_the_line_but_not_beside_json(words, printed, monkeypatch, capsys):
    logger = logging.getLogger(LOGGER)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(sys, "argv", ["tacit", *words])
    _announce_compilation()
    _announce_compilation()
    logger.info(TEXT)
    assert capsys.readouterr().err == printed
