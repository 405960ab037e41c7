"""A market with rules only, taken from the tutorial's text: it trains, shows, boards, and every
probe says what it lacks."""

from __future__ import annotations

import importlib
import sys

import pytest
from support.boards import Board
from support.pages import blocks
from support.paths import ROOT

from tacit.emergence.registry import CONTROLS, PROBES, inapplicable
from tacit.envs import kpi as kpis
from tacit.envs.registry import MARKETS, make_market
from tacit.training.runs.runner import train
from tacit.training.show.run_text import not_measured_lines
from tacit.training.storage.load_run import load_run

PAGE = ROOT / "docs/tutorials/own_market.md"


@pytest.fixture
def lemonade(tmp_path, monkeypatch, registers):
    """The tutorial's market, registered for the time of a test."""
    source = next(block for block in blocks(PAGE) if block.title == "lemonade.py")
    (tmp_path / "lemonade.py").write_text(source.text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(MARKETS, "lemonade", "lemonade:Lemonade")
    monkeypatch.delitem(sys.modules, "lemonade", raising=False)
    module = importlib.import_module("lemonade")
    yield module
    sys.modules.pop("lemonade", None)


def test_the_rules_are_about_sixty_lines():
    source = next(block for block in blocks(PAGE) if block.title == "lemonade.py")
    code = [line for line in source.text.splitlines() if line.strip()]
    assert len(code) <= 70


def test_it_trains_shows_and_boards(lemonade, tmp_path):
    summary = train("lemonade", ["seeds=2", "train.rounds=4000", "train.measure_last=500"])
    assert summary["measures"]["profit"]["n"] == 2
    assert summary["verdicts"] == []
    run = load_run("lemonade")
    assert run.arms["base"].market.name == "lemonade"
    board = Board(tmp_path / "results/lemonade")
    tags = set().union(*(board.tags(run) for run in board.runs))
    assert {"measure/stand_0/profit", "kpi/stand_1/profit", "band/cups/mean"} <= tags


def test_every_probe_says_what_it_lacks(lemonade, tmp_path):
    market = make_market("lemonade")
    reasons = inapplicable(market, kpis.resolve(market, None))
    assert set(reasons) == {*PROBES, *CONTROLS}
    for probe, reason in reasons.items():
        if probe not in (
            "signalling",
            "claims",
            "false_claims",
        ):  # nothing is claimed: no analysis would help
            assert "lemonade declares no Analysis" in reason, probe
            assert "this probe needs its" in reason, probe
    train("lemonade", ["seeds=1", "train.rounds=2000", "train.measure_last=500"])
    lines = list(not_measured_lines(load_run("lemonade").folder))
    assert len(lines) == len(set(reasons.values()))
