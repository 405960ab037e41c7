"""A gate holds a repetition between two rounds, lets it step, and lets it go."""

from __future__ import annotations

import io
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tacit.training.acts.gate import STOP, UNLIMITED, Gate, RemoteGate


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
