"""The scripts in examples/ run and print something; shortened, and as they are."""

from __future__ import annotations

import runpy
import sys

import pytest
from stable_baselines3 import PPO
from support.paths import ROOT

import tacit

SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
EACH = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
FEW = ("train.rounds=2000", "train.measure_last=500", "seeds=2")


@pytest.fixture
def shortened(monkeypatch):
    """Trains for fewer rounds and steps, and judges fewer repetitions, by the same calls."""
    train, verdicts, learn = tacit.train, tacit.verdicts, PPO.learn
    calls = {
        "train": lambda config, settings=(), **keys: train(config, [*settings, *FEW], **keys),
        "verdicts": lambda arm: verdicts(arm[:4]),
    }
    for name, call in calls.items():
        monkeypatch.setattr(tacit, name, call)
    monkeypatch.setattr(PPO, "learn", lambda model, steps: learn(model, min(steps, 2048)))


def runs(script, capsys):
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.fixture(autouse=True)
def as_a_script(monkeypatch, registers):
    """A script finds its neighbours; what it registers and imports is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    yield
    sys.modules.pop("my_market", None)


@EACH
def test_it_runs(script, shortened, capsys):
    runs(script, capsys)


@pytest.mark.slow
@EACH
def test_it_runs_as_it_is(script, capsys):
    runs(script, capsys)


def test_the_readme_names_all():
    text = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    assert [p.name for p in SCRIPTS if f"`{p.name}`" not in text] == []
