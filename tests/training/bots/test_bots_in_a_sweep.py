"""Bots in the cells of a sweep: asked once for all cells that ask them the same, or not at all."""

from __future__ import annotations

import json
import sys

import pytest
import yaml
from support.paths import ROOT
from support.terminal import SMALL, Terminal, mistake_lines

from tacit.agents.external.policy_file import read_policy
from tacit.agents.external.question import Questions
from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.sweep.sweep_folder import SweepFolder
from tacit.training.sweep.sweeping import bots_to_ask, make_plan
from tacit.training.tabulate.into_tables import questions_hash

BOT = ROOT / "examples/own_agent/bot.py"
COUNTED = """import json, sys
open({!r}, "a").write("started\\n")
for line in sys.stdin:
    question = json.loads(line)
    low = min(range(len(question["actions"])), key=lambda k: question["actions"][k]["price"])
    print(json.dumps({{"id": question["id"], "action": low}}), flush=True)
"""


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def own_file(tacit, command, **more):
    agent = {"name": "external", "command": command, **more}
    file = {"market": {"name": "cloud_bandwidth", "prices": 3}, "agents": {"provider_0": agent}}
    (tacit.folder / "own.yaml").write_text(yaml.safe_dump(file))


def test_without_trust_nothing_is_run_and_the_way_out_is_told(tacit):
    own_file(tacit, [sys.executable, str(BOT)])
    result = tacit("sweep", "own.yaml", "--grid", "market.cost=1,1.1")
    assert result.code == 2
    assert "base.agents.provider_0: would run the command " in result.err
    assert "tacit sweep ... --trust-agents, which asks it once" in result.err
    assert not (tacit.folder / "results").exists()


def test_live_bots_are_refused_even_if_they_are_trusted(tacit):
    own_file(tacit, [sys.executable, str(BOT)], live=True)
    words = ("sweep", "own.yaml", "--grid", "market.cost=1,1.1", "--trust-agents")
    (line,) = mistake_lines(tacit(*words))
    assert line.startswith("base.agents.provider_0: is live, and a sweep asks nobody while it")


def test_cells_that_ask_the_same_share_a_table(tmp_path):
    """Costs and KPIs change no question where the grid is fixed; the number of prices does."""
    file = {
        "market": {"name": "cloud_bandwidth", "price_range": [1.0, 2.0]},
        "agents": {"provider_0": {"name": "external", "command": ["python", "bot.py"]}},
    }
    grids = ["market.cost=0.9,1.0", "market.prices=3,4", "kpi.provider.quantity=0,1"]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(file))
    plan, raw = make_plan(str(path), grids, is_trusted=True)
    bots = bots_to_ask(SweepFolder(tmp_path / "s"), plan, raw)
    assert plan.count == 8
    assert sorted(bot.arm.market.config.prices for bot in bots) == [3, 4]


def test_the_hash_is_of_all_that_is_asked():
    def of(seat, **keys):
        return questions_hash(
            Questions(make_market("cloud_bandwidth", {"prices": 3, **keys}), seat)
        )

    grid = [1.0, 2.0]
    assert of("provider_0", price_range=grid) == of("provider_0", price_range=grid, cost=0.9)
    assert of("provider_0", price_range=grid) != of("provider_1", price_range=grid)
    assert of("provider_0", price_range=grid) != of("provider_0", price_range=[1.0, 2.1])


@pytest.mark.slow
def test_a_trusted_bot_is_asked_once_for_all_cells(tacit):
    trace = tacit.folder / "trace"
    (tacit.folder / "bot.py").write_text(COUNTED.format(str(trace)))
    own_file(tacit, [sys.executable, "bot.py"])
    words = ("sweep", "own.yaml", *SMALL, "--grid", "kpi.provider.quantity=0,0.1", "--name", "s")
    shown = tacit(*words, "--dry-run")
    assert shown.code == 0
    assert "1 table to ask for, for 2 cells: about" in shown.out
    assert "--trust-agents would run the command" in shown.out
    assert not trace.exists()
    done = tacit(*words, "--trust-agents", "--processes", "1")
    assert done.code == 0, done.err
    assert "1 table to ask for, for 2 cells" in done.err
    starts = trace.read_text().count("started")
    folder = tacit.folder / "results/s"
    (table,) = (folder / "agents").glob("*.safetensors")
    configs = [yaml.safe_load(p.read_text()) for p in sorted(folder.glob("cells/*/*/config.yaml"))]
    agents = [c["arms"]["base"]["agents"]["provider_0"] for c in configs]
    assert [a["name"] for a in agents] == ["table", "table"]
    assert agents[0]["table_hash"] == agents[1]["table_hash"]
    assert read_policy(table)[1].table_hash == agents[0]["table_hash"]
    again = tacit("sweep", "s", "--json")  # goes on without the bot, and without trust
    assert json.loads(again.out)["done"] == 2
    assert trace.read_text().count("started") == starts


def test_a_cell_whose_bot_was_not_asked_runs_nothing(tacit):
    """A sweep that came from elsewhere: its experiment file names a bot, and has no table."""
    trace = tacit.folder / "trace"
    (tacit.folder / "bot.py").write_text(COUNTED.format(str(trace)))
    own_file(tacit, [sys.executable, "bot.py"])
    plan, raw = make_plan("own.yaml", ["market.cost=1,1.1"], is_trusted=True)
    folder = SweepFolder(tacit.folder / "results/theirs")
    folder.path.mkdir(parents=True)
    folder.write_plan(plan, raw)
    for words in (("train", "theirs", "--cell", "0"), ("train", "results/theirs", "--cell", "1")):
        result = tacit(*words)
        assert result.code == 1, words
        assert "would run the command" in result.err
    assert not trace.exists()
    assert load(raw, [], []).arms["base"].agents["provider_0"].command[1] == "bot.py"
