"""Acts on a run that trains: recorded first, done once, and they change no bit."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from support.training_fixtures import files_of

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.training.acts.acts import ACT, Acts
from tacit.training.acts.control import BREAKER, PERSON, RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.protocol import ActRequest
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage.run_folder import RunFolder

LONG = ["train.rounds=3000000", "train.measure_last=1000000", "seeds=2"]


def request(act, **options):
    options = {"id": f"{act}-{time.monotonic_ns()}", "by": "alice", "reason": "a look", **options}
    return ActRequest(act=act, **options)


@contextmanager
def training(results, settings=LONG):
    """A run that trains in a thread; yields its acts, and waits for its end."""
    control, ended = RunControl(), []
    run = RunFolder(results / "mine")

    def train():
        try:
            experiment = load("ad_auction", settings)
            ended.append(train_experiment(experiment, run, NoProgress(), control=control))
        except Interrupted as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=train)
    thread.start()
    deadline = time.monotonic() + 60
    while len([g for g in control.seeds().values() if g.rounds]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    acts = Acts("mine", control)
    try:
        yield acts
    finally:
        control.release(PERSON)
        thread.join(120)
    acts.ended = ended


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same run that nobody touched."""
    results = tmp_path_factory.mktemp("plain")
    train_experiment(load("ad_auction", LONG), RunFolder(results / "mine"), NoProgress())
    return results / "mine"


@pytest.mark.slow
def test_pause_step_and_resume_change_no_bit(plain, tmp_path):
    with training(tmp_path) as acts:
        paused = acts.do(request("pause"))
        assert paused.applied
        assert paused.detail == "held by: person"
        assert paused.screen["latches"] == ["person"]
        assert all(seed["held"] for seed in paused.screen["seeds"].values())
        time.sleep(0.2)
        assert acts.do(request("status")).round == paused.round  # nobody went on
        stepped = acts.do(request("step", rounds=7))
        assert stepped.round == {name: n + 7 for name, n in paused.round.items()}
        resumed = acts.do(request("resume"))
        assert resumed.detail == "held by nothing: it trains"
    assert files_of(tmp_path / "mine") == files_of(plain)
    entries = ledgers.read(tmp_path / "mine/ledger.jsonl")
    assert [e["what"] for e in entries if e["act"] == ACT] == ["pause", "step", "resume"]
    assert ledgers.first_broken(tmp_path / "mine/ledger.jsonl") is None


@pytest.mark.slow
def test_a_seed_is_held_within_a_round(tmp_path):
    """After a pause is recorded, no seed plays a further whole stretch of rounds."""
    with training(tmp_path) as acts:
        assert acts.do(request("pause")).screen["seeds"]
        for gate in acts.control.seeds().values():
            assert gate.is_held
        held = {name: gate.rounds for name, gate in acts.control.seeds().items()}
        acts.do(request("step"))
        assert {n: g.rounds for n, g in acts.control.seeds().items()} == {
            name: rounds + 1 for name, rounds in held.items()
        }


@pytest.mark.slow
def test_an_act_is_recorded_before_it_takes_effect(tmp_path, monkeypatch):
    with training(tmp_path) as acts:
        seen = []
        hold = acts.control.hold

        def watched(latch):
            seen.append(ledgers.read(acts.control.ledger.path)[-1])
            hold(latch)

        monkeypatch.setattr(acts.control, "hold", watched)
        acts.do(request("pause", by="bob", reason="revenue halved"))
        (entry,) = seen
        assert (entry["act"], entry["what"], entry["by"]) == (ACT, "pause", "bob")
        assert entry["reason"] == "revenue halved"
        assert (entry["before"], entry["after"]) == ({"latches": []}, {"latches": ["person"]})
        assert set(entry["screen"]["seeds"]) == {"base/s0", "base/s1"}
        assert acts.do(request("status")).screen["latches"] == ["person"]


@pytest.mark.slow
def test_what_cannot_be_recorded_is_not_done(tmp_path, monkeypatch):
    """A full disk: the act is refused, the market goes on."""
    with training(tmp_path) as acts:
        ledger = acts.control.ledger

        def full(act, **details):
            raise ConfigError("ledger.jsonl: cannot be written: no space left on device.")

        with monkeypatch.context() as patch:
            patch.setattr(ledger, "append", full)
            with pytest.raises(ConfigError, match="no space left"):
                acts.do(request("pause"))
        assert acts.control.latches == []
        before = acts.do(request("status")).round
        time.sleep(0.2)
        assert acts.do(request("status")).round != before


@pytest.mark.slow
def test_the_same_act_twice_is_done_once(tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("pause"))
        first = acts.do(request("step", id="one", rounds=3))
        assert acts.do(request("step", id="one", rounds=3)) == first
        again = Acts("mine", acts.control)  # as a later process knows them, from the ledger
        with pytest.raises(ConfigError, match="id: one was done already"):
            again.do(request("step", id="one"))
        entries = ledgers.read(tmp_path / "mine/ledger.jsonl")
        assert [e["id"] for e in entries if e.get("what") == "step"] == ["one"]


@pytest.mark.slow
def test_a_dry_run_does_nothing(tmp_path):
    with training(tmp_path) as acts:
        told = acts.do(request("pause", dry_run=True))
        assert (told.applied, told.dry_run) == (False, True)
        assert told.detail == "would hold 2 seeds after the round that each is playing"
        assert acts.control.latches == []
        assert not [e for e in ledgers.read(tmp_path / "mine/ledger.jsonl") if e["act"] == ACT]


@pytest.mark.slow
def test_stopped_by_a_person_it_goes_on_to_the_same_bits(plain, tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("pause"))
        assert acts.do(request("stop", reason="")).detail == "every seed saves and ends"
        with pytest.raises(ConfigError, match="stop: mine is not training any more"):
            acts.do(request("stop"))
    (stopped,) = acts.ended
    assert isinstance(stopped, Interrupted)
    assert acts.control.stopped_by == "alice"
    run = RunFolder(tmp_path / "mine")
    assert ledgers.read(run.ledger)[-1]["act"] == "training interrupted"
    train_experiment(load("ad_auction", LONG), run, NoProgress())
    assert files_of(run.path) == files_of(plain)


@pytest.mark.slow
def test_two_people_at_once_are_told_apart_and_in_order(tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("pause"))
        before = acts.do(request("status")).round
        people = [
            threading.Thread(target=acts.do, args=(request("step", by=name, id=f"{name}{k}"),))
            for name in ("alice", "bob")
            for k in range(8)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        after = acts.do(request("status")).round
        assert after == {name: rounds + 16 for name, rounds in before.items()}
        told = [e for e in ledgers.read(tmp_path / "mine/ledger.jsonl") if e.get("what") == "step"]
        assert len({e["id"] for e in told}) == len(told) == 16
        held = [e["screen"]["seeds"]["base/s0"]["round"] for e in told]
        assert held == sorted(held)


def test_a_long_step_is_ended_by_a_pause_and_keeps_no_stop_waiting(tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("pause"))
        step = threading.Thread(target=acts.do, args=(request("step", rounds=1_000_000_000),))
        step.start()
        while acts.do(request("status")).screen["seeds"]["base/s0"]["held"]:
            time.sleep(0.01)
        assert acts.do(request("pause")).detail == "held by: person"  # while the step is played
        step.join(60)
        held = acts.do(request("status")).round
        acts.do(request("step", rounds=2))
        assert acts.do(request("status")).round == {name: n + 2 for name, n in held.items()}
        acts.control.step(1_000_000_000)
        assert acts.do(request("stop", reason="")).detail == "every seed saves and ends"


def test_a_seed_that_ends_keeps_nobody_waiting():
    control, gate = RunControl(), Gate()
    with control.seed(("base", 0), gate):
        control.hold(PERSON)
        threading.Timer(0.2, lambda: control._gates.clear()).start()
        assert control.wait_until_held(60)
        control._gates["base", 0] = gate


def test_steps_that_are_not_played_yet_add_up():
    gate = Gate()
    gate.shut()
    gate.step(3)
    gate.step(4)
    assert gate.wait(0) == 7
    gate.shut()
    gate.stop()
    assert gate.wait(3) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "told"),
    [("resume", "resume: the run is not paused by a person"), ("step", "step: the run is not")],
)
def test_what_makes_no_sense_now_is_refused(act, told, tmp_path):
    with training(tmp_path) as acts:
        with pytest.raises(ConfigError, match=told):
            acts.do(request(act))
        acts.do(request("pause"))
        with pytest.raises(ConfigError, match="pause: the run is paused already"):
            acts.do(request("pause"))


@pytest.mark.slow
def test_a_question_is_kept_beside_what_was_on_the_screen(tmp_path):
    with training(tmp_path) as acts:
        acts.do(request("ask", reason="why did the price fall?"))
    (entry,) = [e for e in ledgers.read(tmp_path / "mine/ledger.jsonl") if e["act"] == ACT]
    assert entry["reason"] == "why did the price fall?"
    assert entry["screen"]["seeds"]["base/s0"]["round"] > 0


# --- what goes wrong after an act is in the ledger ---------------------------------------------


@contextmanager
def acting(tmp_path, **seeds):
    """Acts on a run of which nothing is trained; its gates, by `s0`, `s1`."""
    control = RunControl()
    with ExitStack() as stack:
        stack.enter_context(control.training(Ledger(tmp_path / "ledger.jsonl")))
        for name, gate in seeds.items():
            stack.enter_context(control.seed(("base", int(name[1:])), gate))
        yield Acts("mine", control)


@pytest.mark.parametrize(
    ("failing", "again"),
    [
        ("hold", pytest.raises(ConfigError, match="id: one was done already")),
        ("wait_until_held", pytest.raises(OSError, match="out of threads")),  # the same answer
    ],
)
def test_an_act_that_fails_is_done_once_and_keeps_nobody_waiting(
    tmp_path, monkeypatch, failing, again
):
    def fails(*args):
        raise OSError("the machine is out of threads")

    with acting(tmp_path) as acts:
        monkeypatch.setattr(acts.control, failing, fails)
        with pytest.raises(OSError, match="out of threads"):
            acts.do(request("pause", id="one"))
        with again:
            acts.do(request("pause", id="one"))
        assert len([e for e in ledgers.read(tmp_path / "ledger.jsonl") if e["act"] == ACT]) == 1


def test_a_stop_does_not_wait_for_a_change_that_a_seed_is_asked_about(tmp_path):
    gate, told = Gate(), []

    def ask():
        try:
            acts.do(request("redirect", arm="base", redirect={"fresh_stream": True}))
        except ConfigError as error:
            told.append(str(error))

    with acting(tmp_path, s0=gate) as acts:
        asking = threading.Thread(target=ask)
        asking.start()
        while not gate._orders:  # nobody trains the seed, so it answers nothing
            time.sleep(0.001)
        assert acts.do(request("ask")).applied
        assert acts.do(request("stop")).applied
        assert gate.is_stopped
        assert asking.is_alive()
        gate.end_orders()
        asking.join()
    assert told == ["seed: has ended."]
    acts_done = [e["what"] for e in ledgers.read(tmp_path / "ledger.jsonl") if e["act"] == ACT]
    assert acts_done == ["ask", "stop"]


class Answering(Gate):
    """Answers every order at once, or by an error."""

    def __init__(self, reply):
        super().__init__()
        self.facts, self.reply = {"breaker": "calm"}, reply

    def _take(self, order, future):
        self._carry_out(order, future, self._answered)

    def _answered(self, order):
        if isinstance(self.reply, Exception):
            raise self.reply
        self.latch("")
        return self.reply


def test_a_release_that_fails_is_told(tmp_path):
    full = Answering(ConfigError("ledger.jsonl: cannot be written."))
    free = Answering({})
    with acting(tmp_path, s0=full, s1=free) as acts:
        with pytest.raises(ConfigError) as error:
            acts.do(request("resume", latch=BREAKER, id="one"))
        assert error.value.mistakes == ["base/s0: ledger.jsonl: cannot be written."]
        assert list(acts.control.held_by_breakers()) == [("base", 0)]
        with pytest.raises(ConfigError, match="id: one was done already"):
            acts.do(request("resume", latch=BREAKER, id="one"))
        full.reply = {}
        assert acts.do(request("resume", latch=BREAKER)).applied


def test_a_seed_that_begins_after_a_stop_is_stopped():
    control, gate = RunControl(), Gate()
    control.stop("alice")
    with control.seed(("base", 0), gate):
        assert gate.wait(0) == 0
    with pytest.raises(ConfigError, match="has ended"):
        gate.submit({"do": "look"}).result(0)
