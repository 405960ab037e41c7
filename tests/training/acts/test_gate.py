"""A gate holds a repetition between two rounds, lets it step, and lets it go."""

from __future__ import annotations

import io
import itertools
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.training.acts.gate import LOOK, STOP, UNLIMITED, Gate
from tacit.training.acts.remote_gate import RemoteGate


class Repetition(threading.Thread):
    """Plays a round whenever its gate lets it; stops after `last`."""

    def __init__(self, gate, last=10**9):
        super().__init__(daemon=True)
        self.gate, self.last, self.rounds, self.ended = gate, last, 0, False
        self.halt = np.zeros(1, np.int64)
        gate.attach(SimpleNamespace(halt=self.halt))
        self.start()

    def run(self):
        while self.rounds < self.last and (most := self.gate.wait(self.rounds)):
            played = 0
            while played < most and self.rounds < self.last:
                played, self.rounds = played + 1, self.rounds + 1
                if self.halt[0]:
                    break
        self.ended = True


@pytest.fixture
def repetition():
    made = Repetition(Gate())
    yield made
    made.gate.stop()
    made.join(5)


def test_an_open_gate_sets_no_limit():
    assert Gate().wait(7) == UNLIMITED


def test_shut_it_waits_step_by_step_and_goes_on(repetition):
    gate = repetition.gate
    gate.shut()
    assert gate.wait_until_held(5)
    held = repetition.rounds
    assert gate.rounds == held
    gate.step(3)
    assert gate.wait_until_held(5)
    assert repetition.rounds == held + 3
    gate.step(1)
    assert gate.wait_until_held(5)
    assert repetition.rounds == held + 4
    gate.open()
    while repetition.rounds == held + 4:
        pass
    assert not gate.is_shut
    assert repetition.halt[0] == 0


def test_it_is_told_to_halt_at_once(repetition):
    repetition.gate.shut()
    assert repetition.halt[0] == 1


def test_a_gate_that_is_shut_before_the_group_is_there():
    gate = Gate()
    gate.shut()
    made = Repetition(gate)
    assert gate.wait_until_held(5)
    assert made.rounds == 0
    gate.stop()
    made.join(5)
    assert made.ended


def test_stopping_ends_it_also_while_it_is_held(repetition):
    repetition.gate.shut()
    assert repetition.gate.wait_until_held(5)
    repetition.gate.stop()
    repetition.join(5)
    assert repetition.ended
    assert repetition.gate.wait(0) == 0


def test_whether_to_stop_is_asked_while_it_is_held():
    stop = threading.Event()
    gate = Gate(stop.is_set)
    gate.shut()
    made = Repetition(gate)
    assert gate.wait_until_held(5)
    stop.set()
    made.join(5)
    assert made.ended


def test_a_group_without_halt_ends_its_stretch_first():
    gate = Gate()
    gate.attach(SimpleNamespace())
    gate.shut()
    gate.step(2)
    assert gate.wait(0) == 2


def test_who_listens_is_told_when_it_is_held():
    told = []
    gate = Gate(changed=lambda rounds, held: told.append((rounds, held)))
    gate.shut()
    made = Repetition(gate)
    assert gate.wait_until_held(5)
    gate.stop()
    made.join(5)
    assert told == [(0, True), (0, False)]


def test_a_remote_gate_passes_on_what_is_done_to_it():
    process, gate = io.StringIO(), RemoteGate()
    gate.shut()
    gate.connect(process)
    gate.step(4)
    gate.open()
    gate.stop()
    sent = [json.loads(line) for line in process.getvalue().splitlines()]
    assert sent == [{"gate": "shut"}, {"gate": 4}, {"gate": "open"}, STOP]


def test_a_remote_gate_knows_what_its_process_says():
    gate = RemoteGate()
    gate.connect(io.StringIO())
    gate.played(100)
    assert gate.rounds == 100
    gate.shut()
    assert not gate.wait_until_held(0.01)
    gate.heard(120, True)
    assert gate.wait_until_held(0.01)
    assert gate.rounds == 120
    gate.step(5)
    assert not gate.wait_until_held(0.01)  # the step is not played yet
    gate.heard(125, True)
    assert gate.wait_until_held(0.01)


def test_a_process_that_has_ended_is_no_mistake():
    process, gate = io.StringIO(), RemoteGate()
    gate.connect(process)
    process.close()
    gate.shut()
    gate.stop()
    assert gate.is_shut
    assert gate.is_stopped


# --- orders and pace ------------------------------------------------------------------------------


class Carrying(Repetition):
    """Carries out orders: it says at which rounds it is, or goes elsewhere."""

    def run(self):
        while self.gate.wait(self.rounds, self.carry_out):
            self.rounds += 1
        self.ended = True

    def carry_out(self, order):
        if order["do"] == "wrong":
            raise ConfigError("no such order.")
        if order["do"] == "go":
            self.rounds = order["to"]
            self.gate.moved(self.rounds)
        return {"round": self.rounds}


@pytest.fixture
def carrying():
    made = Carrying(Gate())
    yield made
    made.gate.stop()
    made.join(5)


def test_an_order_is_carried_out_between_two_rounds_and_answered(carrying):
    gate = carrying.gate
    with gate.reserved():
        first = gate.ask({"do": "look"})
        assert gate.ask({"do": "look"}) == first  # no round was played in between
        assert gate.ask({"do": "go", "to": 7}) == {"round": 7}
        assert gate.rounds == 7
    with pytest.raises(ConfigError, match="no such order"):
        gate.ask({"do": "wrong"})
    while carrying.rounds < 9:  # it goes on
        pass


def test_steps_that_are_left_are_given_up_where_it_goes_elsewhere(carrying):
    gate = carrying.gate
    gate.shut()
    assert gate.wait_until_held(5)
    gate.set_pace(1.0)
    gate.step(50)
    assert gate.ask({"do": "go", "to": 10}) == {"round": 10}
    assert gate.wait_until_held(5)
    assert carrying.rounds == 10


def test_whoever_asks_a_repetition_that_has_ended_is_told():
    gate = Gate()
    future = gate.submit({"do": "look"})
    gate.end_orders()
    with pytest.raises(ConfigError, match="has ended"):
        future.result(1)
    with pytest.raises(ConfigError, match="did not come to a round's end"):
        gate.ask({"do": "look"}, 0.01)
    assert gate.wait(0) == UNLIMITED  # what nobody waits for any more is not carried out


def test_a_refusal_says_for_what_it_waited():
    gate = Gate()
    with pytest.raises(ConfigError, match=r"within 0\.01 seconds: it waits for a long round, or"):
        gate.ask({"do": "look"}, 0.01)
    gate.tell(doing="it compiles")
    with pytest.raises(ConfigError, match=r"it compiles; nothing was done\. Try again"):
        gate.ask({"do": "look"}, 0.01)
    waiting = gate.submit({"do": "look"})
    gate.close("is measured; no act reaches it.")
    for future in (waiting, gate.submit({"do": "look"})):  # at once, not after 10 seconds
        with pytest.raises(ConfigError, match="seed: is measured; no act reaches it"):
            gate.answer(future, 60)
    gate.wait(0)  # the next repetition, in a worker process
    assert not gate.submit({"do": "look"}).done()


def test_a_gate_holds_while_others_are_waited_for():
    gate, state = Gate(), ["waits"]
    gate.await_others(lambda: state[0])
    thread = threading.Thread(target=lambda: state.append(gate.wait(7)))
    thread.start()
    gate.shut()
    assert gate.wait_until_held(10)
    gate.step(5)  # it keeps the rounds, and plays them when the others have come
    assert gate.wait_until_held(10)
    assert thread.is_alive()
    state[0] = "complete"
    gate.look_again()
    thread.join()
    assert state[1] == 5
    state[0] = "hopeless"
    assert gate.wait(7) == 0


def test_at_a_pace_so_many_rounds_may_be_played(monkeypatch):
    now, waited = [100.0], []
    monkeypatch.setattr("tacit.training.acts.gate.time.monotonic", lambda: now[0])
    gate = Gate()
    gate.set_pace(200.0)
    assert gate.wait(0) == 10  # a twentieth of a second

    def sleeps(seconds):
        waited.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(gate._condition, "wait", sleeps)
    played = sum(gate.wait(0) for _ in range(40))
    assert played == 400
    assert 1.8 < sum(waited) <= 2.0  # a short while that was slept too long is made up for
    gate.set_pace(2.0)
    assert gate.wait(20) == 1
    gate.set_pace(None)
    assert gate.wait(21) == UNLIMITED


def test_a_remote_gate_passes_on_orders_and_answers():
    process, gate = io.StringIO(), RemoteGate()
    early = gate.submit({"do": "look"})
    gate.reserve(1)
    gate.set_pace(5.0)
    gate.connect(process)
    late = gate.submit({"do": "go"})
    gate.reserve(-1)
    sent = [json.loads(line) for line in process.getvalue().splitlines()]
    first, second = (message["n"] for message in sent if "order" in message)
    assert sent == [
        {"gate": "open"}, {"pace": 5.0}, {"reserve": 1}, {"order": {"do": "look"}, "n": first},
        {"order": {"do": "go"}, "n": second}, {"reserve": -1},
    ]  # fmt: skip
    gate.replied(first, {"x": 1})
    gate.replied(second, {"moved": True, "round": 40})
    gate.replied(-1, {"x": 9})  # nobody has asked
    assert (early.result(1), late.result(1)["round"], gate.rounds) == ({"x": 1}, 40, 40)
    never = gate.submit({"do": "look"})
    gate.end_orders()
    with pytest.raises(ConfigError, match="has ended"):
        never.result(1)


# --- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Gate, RemoteGate])
def test_an_order_that_was_not_taken_up_is_forgotten_and_the_end_answers_all_others(kind):
    gate = kind()
    cancelled, waits = gate.submit({"do": "look"}), gate.submit({"do": "look"})
    with pytest.raises(ConfigError, match="did not come to a round's end"):
        gate.answer(cancelled, 0.001)
    waits.cancel()  # and is not withdrawn, as where both happen at once
    last = gate.submit({"do": "look"})
    gate.end_orders()
    with pytest.raises(ConfigError, match="has ended"):
        last.result(0)


def test_a_withdrawn_order_is_passed_on_to_no_process():
    process, gate = io.StringIO(), RemoteGate()
    with pytest.raises(ConfigError, match="did not come to a round's end"):
        gate.ask({"do": "look"}, 0.001)
    gate.connect(process)
    assert json.loads(process.getvalue()) == {"gate": "open"}
    gate = Gate()
    gate.attach(SimpleNamespace(halt=np.ones(1, np.int64)))
    with pytest.raises(ConfigError, match="did not come to a round's end"):
        gate.ask({"do": "look"}, 0.001)
    gate.open()
    assert gate._halt[0] == 0  # nothing is left to be done


@pytest.mark.parametrize("kind", [Gate, RemoteGate])
def test_an_order_after_the_end_is_refused_at_once(kind):
    gate = kind()
    gate.end()
    with pytest.raises(ConfigError, match="has ended"):
        gate.submit({"do": "look"}).result(0)


def test_a_late_answer_is_taken_for_no_order_of_the_next_repetition():
    """The process and its pipe serve one repetition after the other."""
    process = io.StringIO()
    first, second = RemoteGate(), RemoteGate()
    first.connect(process)
    first.submit({"do": "look"})
    first.end()
    second.connect(process)
    waits = second.submit({"do": "look"})
    one, two = (m["n"] for m in map(json.loads, process.getvalue().splitlines()) if "order" in m)
    second.replied(one, {"x": 1})
    assert not waits.done()
    second.replied(two, {"x": 2})
    assert waits.result(0) == {"x": 2}


def test_a_stop_is_not_undone_by_opening():
    gate = Gate()
    gate.stop()
    halt = np.zeros(1, np.int64)
    gate.attach(SimpleNamespace(halt=halt))
    assert halt[0] == 1
    gate.open()
    gate.reserve(1)
    gate.reserve(-1)
    assert halt[0] == 1


# --- breakers and steps ---------------------------------------------------------------------------


def test_a_breaker_that_holds_at_a_pace_is_looked_at_now_and_then(monkeypatch):
    waited, gate = [], Gate()

    def sleeps(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            gate.latch("")

    monkeypatch.setattr(gate._condition, "wait", sleeps)
    gate.set_pace(200.0)
    gate.latch("calm")
    assert gate.wait(0) == 10
    assert waited == [LOOK] * 3


def test_a_process_whose_repetition_a_breaker_holds_is_held():
    gate = RemoteGate()
    gate.connect(io.StringIO())
    gate.facts = {"breaker": "calm"}
    gate.heard(3_000, True)
    assert gate.is_held
    gate.shut()  # the process has nothing to say to this: it is held already
    assert gate.wait_until_held(0.001)
    gate.heard(3_000, False)
    assert not gate.is_held


def test_a_step_before_it_is_held_is_counted_from_where_it_will_be():
    looks = itertools.count()
    gate = Gate(lambda: next(looks) > 20)  # a step that is lost is no endless wait
    assert gate.wait(5) == UNLIMITED
    gate.shut()
    gate.step(100)
    gate.shut()  # drops it
    gate.step(3)
    gate.step(1)
    assert gate.wait(60) == 4  # rounds that it had begun are played by now
    gate.step(2)  # while the four are played
    assert gate.wait(62) == 4


def test_a_process_and_its_gate_count_such_a_step_alike():
    told, remote = [], RemoteGate()
    looks = itertools.count()
    gate = Gate(lambda: next(looks) > 20, lambda rounds, held: told.append((rounds, held)))
    remote.shut()
    remote.step(3)
    process = io.StringIO()
    remote.connect(process)
    sent = [json.loads(line) for line in process.getvalue().splitlines()]
    assert sent == [{"gate": "shut"}, {"gate": 3}]
    assert gate.wait(50) == UNLIMITED
    gate.shut()
    gate.step(3)
    assert gate.wait(60) == 3
    assert told == [(60, True), (60, False)]
    remote.heard(*told[0])
    assert not remote.wait_until_held(0.001)  # the step is still to be played
    remote.heard(*told[1])
    remote.heard(63, True)
    assert remote.wait_until_held(0.001)
    remote.step(2)
    assert not remote.wait_until_held(0.001)
