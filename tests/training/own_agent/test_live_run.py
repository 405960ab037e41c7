"""A run with a live agent: trust, cost, interruption, replay, and what does not apply."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap

import numpy as np
import pytest
from support.training_fixtures import mistakes, write

from tacit.agents.external.policy_file import card_of, write_policy
from tacit.agents.live.answers import LiveAnswer, LiveDecision
from tacit.agents.policy import deterministic
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.oversight.signers import Signers
from tacit.training.config.load import load
from tacit.training.outcome.probing import learned_population
from tacit.training.own_agent.export import export_policy
from tacit.training.record.deals import DealName
from tacit.training.record.replay import SeedReplay
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import EVERY, verify
from tacit.training.record.why import explain
from tacit.training.report.contents import collect
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.show.policy_table_text import table_lines
from tacit.training.show.run_text import learned_policy_lines
from tacit.training.storage.live.answers_file import NAME
from tacit.training.storage.load_run import learned_tables, load_run, read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.trust.live_doors import live_doors, trial_lines, untold_lines

MARKET = {"name": "cloud_bandwidth", "prices": 4}
ROUNDS = 400
BOT = """
    import json, sys
    for line in sys.stdin:
        question = json.loads(line)
        seen = [v for name, v in question["observation"].items() if name != "phase"]
        print(json.dumps({"id": question["id"], "action": {"price": min(seen)}}), flush=True)
"""


def table():
    """What BOT does: the lowest of the last prices, 4 by 4 of them."""
    lowest = np.minimum.outer(np.arange(4), np.arange(4)).ravel()
    return deterministic(make_market("cloud_bandwidth", {"prices": 4}).roles[0], lowest)


def experiment(agent, **more):
    train = {"rounds": ROUNDS, "measure_last": 100, "evaluate_every": 100}
    agents = {"provider_0": agent}
    return load({"market": MARKET, "agents": agents, "train": train, "seeds": 1, **more})


def live_bot(tmp_path, text=BOT, **keys):
    bot = write(tmp_path / "bot.py", textwrap.dedent(text))
    return {"name": "external", "command": [sys.executable, bot], "live": True, **keys}


class FromTable:
    """Answers as BOT does, without a process; stops after so many."""

    def __init__(self, most=10**9):
        self.asked, self.most = [], most

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        if len(self.asked) >= self.most:
            raise ConfigError("agents.provider_0: is gone.")
        self.asked.append(decision)
        return LiveAnswer("action", 0, table()[decision.observation].copy())

    def close(self):
        pass


def trained(tmp_path, agent, live, name="run", **more):
    folder = RunFolder(tmp_path / name)
    train_experiment(experiment(agent, **more), folder, NoProgress(), live=live)
    return folder


@pytest.mark.slow
def test_a_bot_by_command_teaches_what_its_policy_file_teaches(tmp_path):
    folder = trained(tmp_path, live_bot(tmp_path), live_doors(()))
    market = make_market("cloud_bandwidth", {"prices": 4})
    write_policy(tmp_path / "p", table(), card_of(market, "provider_0", table()))
    frozen = trained(tmp_path, {"name": "table", "file": str(tmp_path / "p")}, None, "frozen")
    own, other = (
        learned_tables(f, read_experiment(f).arms["base"], 0)["provider_1"]
        for f in (folder, frozen)
    )
    assert own.tobytes() == other.tobytes()
    summary = json.loads(folder.summary.read_text())
    assert (
        summary["measures"]["price"] == json.loads(frozen.summary.read_text())["measures"]["price"]
    )
    assert summary["live"]["seats"]["provider_0"] == {
        "answers": ROUNDS, "partly illegal": 0, "refusals": 0, "illegal": 0, "time-outs": 0,
        "failures": 0, "restarts": 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("live")
    return trained(tmp_path, live_bot(tmp_path), lambda arm, k: FromTable())


def test_a_run_is_played_and_trained_again_from_the_answers_that_are_kept(run):
    found = verify(run, Signers(None), replay=EVERY)
    assert found.altered == []
    assert any(
        line.startswith("played again: 4 of 4 intervals, 400 rounds") for line in found.lines
    )
    again = reproduce_run(run, [], NoProgress())
    assert (again.seeds, again.differing, again.elsewhere) == (1, (), ())


def test_an_answer_that_was_altered_is_found(run, tmp_path):

    copy = RunFolder(tmp_path / "copy")
    shutil.copytree(run.path, copy.path)
    path = copy.seed("base", 0) / NAME
    lines = path.read_text().splitlines()
    entry = json.loads(lines[200])
    entry[-1][1] = (entry[-1][1] + 1) % 4
    path.write_text("\n".join([*lines[:200], json.dumps(entry), *lines[201:]]) + "\n")
    found = verify(copy, Signers(None), replay=EVERY)
    assert any(f"{NAME}: was altered" in line for line in found.altered)
    assert any("is not what rounds 100 to 199 lead to" in line for line in found.altered)


def test_what_needs_policies_does_not_apply(run, tmp_path):
    found = load_run(run.path)
    arm = found.arms["base"]
    with pytest.raises(ConfigError, match="the agent of provider_0 is live"):
        learned_population(run, arm, 0)
    with pytest.raises(ConfigError, match="provider_0 is live"):
        export_policy(found, "provider_0", None, 0, tmp_path / "p")
    assert export_policy(found, None, None, 0, tmp_path / "p").seat == "provider_1"
    words = found.summary["verdicts"]
    assert words
    assert all(word["word"] == "undecided" for word in words)
    assert all("provider_0 is live" in word["missing"][0] for word in words)
    card = json.loads(run.incentives.read_text())["base"]
    assert any("cannot be trained again bit for bit" in line for line in card["limitations"])
    assert list(card["policies"]["held_by"].values()) == [["s0/provider_1"]]


def test_a_learned_seat_is_read_out_by_its_table_and_a_live_one_is_not(run):
    arm = read_experiment(run).arms["base"]
    lines = list(learned_policy_lines(run, None, "provider_1", 0, whole=True))
    seat = arm.market.seat("provider_1")
    expected = table_lines(seat.role, learned_tables(run, arm, 0)["provider_1"])
    assert [line.strip() for line in lines[-len(expected) :]] == expected
    assert "Where it settles is not told: does not apply: the agent of provider_0" in lines[2]
    with pytest.raises(ConfigError, match="the agent of provider_0 is live"):
        list(learned_policy_lines(run, None, "provider_0", 0))


def test_a_report_says_that_deals_with_a_live_agent_are_not_explained(run):
    contents = collect(load_run(run.path), (), lambda what, done, steps: None)
    assert contents.deals
    (why,) = contents.deals[0].why
    assert why.startswith("Why a deal was done does not apply: the agent of provider_0 is live")
    with pytest.raises(ConfigError, match="the agent of provider_0 is live"):
        explain(SeedReplay(run, read_experiment(run).arms["base"], 0, 0), DealName(0, 0, 0, 399))


def test_a_run_that_was_stopped_asks_only_what_was_not_answered(run, tmp_path):
    sources = []

    def make(arm, k, most):
        sources.append(FromTable(most))
        return sources[-1]

    agent = live_bot(tmp_path)
    with pytest.raises(ConfigError, match="is gone"):
        trained(tmp_path, agent, lambda arm, k: make(arm, k, 250))
    folder = RunFolder(tmp_path / "run")
    with open(folder.seed("base", 0) / NAME, "a") as file:
        file.write('[250, 0, "provi')  # half a line, as of a process that was killed
    with pytest.raises(ConfigError, match=r"would run the command .*bot.py"):
        train_experiment(read_experiment(folder), folder, NoProgress())
    train_experiment(
        read_experiment(folder), folder, NoProgress(), live=lambda arm, k: make(arm, k, 10**9)
    )
    first, then = ([d.round for d in source.asked] for source in sources)
    assert first == list(range(250))
    assert then == list(range(250, ROUNDS))
    one, other = (json.loads(f.summary.read_text())["measures"] for f in (run, folder))
    assert one == other
    train_experiment(read_experiment(folder), folder, NoProgress())  # nothing is left to ask


@pytest.mark.slow
def test_deaths_and_illegal_answers_are_counted_and_the_fallback_is_played(tmp_path):
    text = """
        import json, sys
        for n, line in enumerate(sys.stdin):
            if n == 7:
                sys.exit(3)
            question = json.loads(line)
            said = [{"action": 99}, {"refuse": "no"}, {"probabilities": [0.5, 0, 0, 0]}]
            said.append({"action": 0})
            print(json.dumps({"id": question["id"], **said[n % 4]}), flush=True)
    """
    agent = live_bot(tmp_path, text, fallback="price 1.4")
    name = mistakes(config={"market": MARKET, "agents": {"provider_0": agent}})[0]
    assert "'price 1.4' is no action of provider_0. Did you mean 'price 1.43'?" in name
    agent["fallback"] = "price 1.43"
    folder = trained(
        tmp_path,
        agent,
        live_doors(()),
        train={"rounds": 70, "measure_last": 50, "evaluate_every": 10},
    )
    counts = json.loads(folder.summary.read_text())["live"]["seats"]["provider_0"]
    assert counts == {
        "answers": 70, "partly illegal": 20, "refusals": 20, "illegal": 20, "time-outs": 0,
        "failures": 0, "restarts": 9,
    }  # fmt: skip


@pytest.mark.slow
def test_a_bot_that_dies_at_once_ends_the_run_in_words_and_nothing_is_lost(tmp_path):
    agent = live_bot(tmp_path, "import sys; sys.exit(1)")
    with pytest.raises(ConfigError, match=r"started 4 times for this question. Everything is kept"):
        trained(tmp_path, agent, live_doors(()))
    with pytest.raises(ConfigError, match="provider_0"):
        trial_lines(experiment(agent), (), 1)


def test_nothing_runs_without_trust_and_the_cost_is_told(tmp_path):
    agent = live_bot(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ConfigError, match="nothing was run"):
        trained(tmp_path, agent, None)
    first, last = untold_lines(experiment(agent))
    assert "is asked up to 400 times (1 seed of 400)" in first
    assert "its answers are kept" in last
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_trial_questions_measure_an_answer_and_not_a_start(tmp_path):
    text = "import time; time.sleep(.5)\n" + textwrap.dedent(BOT).replace(
        "seen =", "time.sleep(.02); seen ="
    )
    line, _ = trial_lines(experiment(live_bot(tmp_path, text)), (), 2)
    milliseconds = float(line.split("times (1 seed of 400): ")[1].split(" ms")[0])
    assert 20 <= milliseconds < 200
    assert "5 trial questions (5 legal)" in line


def test_what_does_not_go_with_a_live_agent_is_named_at_once(tmp_path):
    breaker = {"watch": "price", "high": 1.9, "action": "rollback", "redirect": "none"}
    lines = mistakes(
        config={
            "market": MARKET,
            "agents": {"provider_0": live_bot(tmp_path)},
            "train": {"copies": 2},
            "breakers": {"high": breaker},
        }
    )
    assert [line.split(":")[0] for line in lines] == ["train.copies", "breakers.high.action"]
    seats = ["provider_1", "provider_2"]  # also where the live agent has no seat of the vendor's
    for share in ("weights", "objective"):
        told = mistakes(
            config={
                "market": {**MARKET, "providers": 3},
                "agents": {"provider_0": live_bot(tmp_path)},
                "policies": {"vendor_a": {"seats": seats, "share": share}},
            }
        )
        assert told == [
            "policies: must be empty with a live agent (agents.provider_0), beside which no "
            "vendor's seats are trained."
        ]
    frozen = {**live_bot(tmp_path), "live": False, "fallback": "price 1.43"}
    assert (
        "is for live: true"
        in mistakes(config={"market": MARKET, "agents": {"provider_0": frozen}})[0]
    )


def test_a_file_of_answers_from_elsewhere_is_refused_in_words(run, tmp_path):
    from tacit.agents.live.answers import RecordedAnswers

    head = '{"form": "tacit live answers 1"}'
    wrong = ["[1, 2]", '[1, 0, "a", 0, "action", 0, [1e9, 1]]']
    wrong.append('[1, 0, "a", 0, "action", 0, [4, [NaN, 0, 0, 0]]]')
    for text in ("[]", '{"form": "x"}', *(f"{head}\n{line}" for line in wrong)):
        write(tmp_path / "a.jsonl", text + "\n")
        with pytest.raises(ConfigError, match="holds no answers of a live agent"):
            RecordedAnswers(tmp_path / "a.jsonl")
    with pytest.raises(ConfigError, match="holds no answer of provider_0 for round 900"):
        RecordedAnswers(run.seed("base", 0) / NAME).answer(LiveDecision(900, 0, "provider_0", 0))
