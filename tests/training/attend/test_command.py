"""`tacit attend` in the terminal: what is wrong ends in one line and exit code 2."""

from __future__ import annotations

import sys

import pytest
from support.terminal import Terminal, mistake_lines

from tacit.training.attend.serve import listen
from tacit.training.cli import attend


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def known(run, tacit):
    """The run has a configuration, so that commands find it."""
    run.config.write_text("market: ad_auction\n")
    return str(run.path)


def test_an_unknown_run(tacit, known):
    (line,) = mistake_lines(tacit("attend", "mien", "--results", f"{known}/.."))
    assert line.startswith("RUN: there is no run 'mien' in ")
    assert line.endswith("Did you mean 'mine'?")


def test_a_run_that_nothing_trains(tacit, known):
    (line,) = mistake_lines(tacit("attend", known, "--no-open"))
    assert line == (
        f"RUN: nothing trains {known} now. Acts reach a run only while tacit train or tacit resume "
        "works on it."
    )
    assert mistake_lines(tacit("ctl", known, "status")) == [line]


def test_a_port_in_use(tacit, known, served):
    with listen(0) as listening:
        port = listening.getsockname()[1]
        (line,) = mistake_lines(tacit("attend", known, "--no-open", "--port", str(port)))
    assert line.startswith(f"--port: {port} cannot be used (Address already in use).")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra(missing, tacit, known, served, monkeypatch):
    for name in list(sys.modules):
        if name.startswith(("tacit.training.attend", missing)):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    (line,) = mistake_lines(tacit("attend", known, "--no-open"))
    assert line == attend.EXTRA
    assert "pip install 'tacit[page]'" in line
