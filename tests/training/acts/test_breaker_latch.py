"""A breaker that pauses: its seed waits within a run that can be reached, until it is released."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
from support.training_fixtures import files_of

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.training.acts.acts import ACT, Acts
from tacit.training.acts.control import BREAKER, PERSON, RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.protocol import ActRequest
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, Paused, train_experiment
from tacit.training.runs.seed_run import Repetition
from tacit.training.storage.run_folder import RunFolder

BASE = [
    "train.rounds=12000", "train.measure_last=5000", "train.evaluate_every=1000", "seeds=2",
]  # fmt: skip
WAITS = "breakers.calm={watch: clearing_price, low: .99, points: 3, action: pause, wait: true}"


def request(act, **options):
    options = {"id": f"{act}-{time.monotonic_ns()}", "by": "alice", "reason": "a look", **options}
    return ActRequest(act=act, **options)


def until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def training(results, serve=lambda control: nullcontext(True)):
    """A run that trains in a thread, once both of its seeds are held by the breaker."""
    control, ended = RunControl(serve), []
    run = RunFolder(results / "mine")

    def train():
        try:
            experiment = load("ad_auction", [*BASE, WAITS])
            ended.append(train_experiment(experiment, run, NoProgress(), control=control))
        except Interrupted as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        until(lambda: len(control.held_by_breakers()) == 2)
        acts = Acts("mine", control)
        acts.ended = ended
        yield acts
    finally:
        control.stop("the test")
        thread.join(120)


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    results = tmp_path_factory.mktemp("plain")
    train_experiment(load("ad_auction", BASE), RunFolder(results / "mine"), NoProgress())
    return results


def test_a_seed_waits_until_its_breaker_is_released_and_no_bit_is_changed(tmp_path, plain):
    with training(tmp_path) as acts:
        held = acts.do(request("status"))
        assert held.detail == "held by: breaker"
        assert {seed["breaker"] for seed in held.screen["seeds"].values()} == {"calm"}
        assert set(held.round.values()) == {3_000}
        with pytest.raises(ConfigError, match=r"is not paused by a person \(held by: breaker\)"):
            acts.do(request("resume"))
        with pytest.raises(ConfigError, match="no breaker holds such a seed"):
            acts.do(request("resume", latch=BREAKER, arm="base", seed=7))
        tried = acts.do(request("resume", latch=BREAKER, dry_run=True))
        assert (tried.applied, tried.detail) == (False, "would let 2 seeds go on")
        assert acts.do(request("resume", latch=BREAKER, arm="base", seed=1)).applied
        until(lambda: ("base", 1) not in acts.control.seeds())
        acts.do(request("pause"))
        assert acts.do(request("status")).detail == "held by: person, breaker"
        acts.do(request("resume", latch=BREAKER))
        assert acts.control.screen()["seeds"]["base/s0"]["round"] == 3_000
        acts.do(request("resume"))
        until(lambda: acts.ended)
    assert acts.ended[0]["seeds"] == 2
    assert files_of(tmp_path) == files_of(plain)
    entries = ledgers.read(tmp_path / "mine" / "ledger.jsonl")
    told = [e for e in entries if e["act"] in (ACT, "breaker released")]
    first = next(n for n, e in enumerate(told) if e.get("releases"))
    assert told[first]["releases"] == ["base/s1"]
    assert told[first]["before"] == told[first]["after"] == {"latches": [BREAKER]}
    assert (told[first + 1]["act"], told[first + 1]["seed"]) == ("breaker released", 1)
    last = next(e for e in told if e.get("releases") == ["base/s0"])
    assert last["after"] == {"latches": [PERSON]}


def test_a_run_that_is_stopped_while_a_seed_waits_goes_on_waiting(tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("stop"))
        until(lambda: acts.ended)
    assert isinstance(acts.ended[0], Interrupted)
    with training(tmp_path) as acts:
        assert set(acts.do(request("status")).round.values()) == {3_000}
    entries = ledgers.read(tmp_path / "mine" / "ledger.jsonl")
    assert sum(e["act"] == "breaker tripped" for e in entries) == 2


def test_where_nobody_can_reach_the_run_it_is_saved_and_ends(tmp_path):
    experiment = load("ad_auction", [*BASE, WAITS])
    with pytest.raises(Paused):
        train_experiment(experiment, RunFolder(tmp_path / "mine"), NoProgress())
    with training(tmp_path) as acts:  # in a run that can be reached it waits
        assert acts.do(request("resume", latch=BREAKER)).applied
        until(lambda: acts.ended)
    assert acts.ended[0]["seeds"] == 2


def test_wait_is_for_a_pause():
    with pytest.raises(ConfigError, match=r"calm.wait: is for action: pause only, not for stop"):
        load("ad_auction", [*BASE, WAITS, "breakers.calm.action=stop"])


@pytest.mark.parametrize("recorded", [True, False])
def test_a_release_whose_save_fails_holds_the_gate_only_where_the_breaker_does(recorded):
    def release(repetition):
        breakers.paused = None if recorded else "calm"
        raise ConfigError("partial.json: cannot be written.")

    gate = Gate()
    gate.latch("calm")
    breakers = SimpleNamespace(paused="calm", release=release)
    repetition = SimpleNamespace(arm=SimpleNamespace(name="base"), k=0, breakers=breakers)
    order = {"do": "release", "arm": "base", "seed": 0}
    with pytest.raises(ConfigError, match="cannot be written"):
        Repetition._carry_out(repetition, order, gate, None)
    assert (gate.breaker, gate.facts) == (breakers.paused or "", {"breaker": gate.breaker})
