"""The market of examples/my_market.py: rules by hand, benchmarks, and what probes say of it."""

from __future__ import annotations

import sys

import pytest
from support.paths import ROOT
from support.terminal import SMALL, Terminal

import tacit
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.registry import inapplicable
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.plugins import VARIABLE
from tacit.oversight.observed_data import observed_data
from tacit.training.show.policy_text import policy_sentences

FILE = ROOT / "examples/my_market.py"


@pytest.fixture
def market(monkeypatch, registers):
    monkeypatch.syspath_prepend(str(FILE.parent))
    import my_market  # noqa: F401 (importing registers it)

    yield tacit.make_market("growers")
    sys.modules.pop("my_market", None)


def test_rounds_by_hand(market):
    engine = Engine(market, copies=2)
    engine.reset()
    engine.step([[0, 4], [1, 1]])  # 2 and 6 crates: price 10; 3 and 3: price 12
    assert engine.rewards.tolist() == [[8.0, 24.0], [18.0, 18.0]]
    assert engine.observations.tolist() == [[4, 4], [6, 6]]
    for name, mark in market.benchmarks().items():
        found = tacit.evaluate({"grower": name}, market, rounds=5, seeds=1)
        assert {key: found[key].mean for key in mark.values} == dict(mark.values)


@pytest.mark.slow
def test_players_who_are_known_get_their_word(market):
    words = {}
    for rule in ("grim_trigger", "competitive"):
        config = ScriptedConfig(rule=rule)
        tables = [Scripted(config, market, seat).table() for seat in market.seats]
        populations = [tacit.freeze(market, None, tables, seed=k) for k in range(48)]
        words[rule] = {v.behaviour: v.word for v in tacit.verdicts(populations)}["collusion"]
        assert policy_sentences(populations[0], market.seats[0])
    assert words == {"grim_trigger": "tacit collusion", "competitive": "competitive"}


def test_what_it_declares_is_enough_for_the_probes_of_collusion(market):
    lacking = inapplicable(market, kpis.resolve(market, None))
    assert not {"temptation", "index", "impulse_response", "equilibrium", "leadership"} & set(
        lacking
    )
    seat = observed_data(market)["grower_0"]
    assert seat["uses_rivals_data"] == "yes, because it sees last_1"
    assert seat["parts"]["last_1"]["because"] == "the market declares it"


@pytest.mark.slow
def test_it_trains_is_compared_and_shown_from_the_command_line(
    tmp_path, monkeypatch, capsys, market
):
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    terminal.export(VARIABLE, str(FILE))
    assert "market.top_price" in terminal("list", "growers").out
    assert terminal.train("growers").code == 0
    volume = terminal("train", "growers", "--as", "volume", *SMALL, "kpi.grower.brought=2")
    assert volume.code == 0, volume.err
    compared = terminal("compare", "growers")
    assert "brought 2" in compared.out
    assert "undecided at n = 2" in terminal("show", "growers").out
    assert terminal("show", "growers", "--policy", "grower_1").code == 0
