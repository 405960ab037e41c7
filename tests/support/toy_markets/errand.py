"""A toy market with what the shipped ones lack: a seat that acts twice a round, seats that skip.

Phases: in `call` the caller picks one of two workers. In `reply` the worker that was called picks
an effort, while the caller picks a bonus, knowing whom it called; the other worker waits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel

from tacit.envs.jit.decorators import kernel
from tacit.envs.market import (
    Block,
    Market,
    Measure,
    Part,
    Role,
)
from tacit.envs.rng import u

PAY = 0  # column of measures
CALLED = 0  # state: the worker that was called
EFFORT = 1  # state: from here each worker's last effort
LUCK = 0  # slot of the only draw


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nobody has been called."""
    state[:] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The caller: whom it called. A worker: its last effort if it was called, else it waits."""
    if seat == 0:
        return 0 if phase == 0 else 1 + int(state[CALLED])
    if phase == 0:
        return 0
    return 1 + int(state[EFFORT + seat - 1]) if state[CALLED] == seat - 1 else 4


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """The call, then effort and bonus, which are paid at once."""
    if phase == 0:
        state[CALLED] = actions[0]
        return
    worker = int(state[CALLED])
    effort = actions[1 + worker]
    bonus = actions[0] - 2
    measures[0, PAY] = effort * (1.0 + worker) - 0.5 * bonus + 0.2 * u(key, LUCK)
    measures[1 + worker, PAY] = bonus - 0.3 * effort * effort
    state[EFFORT + worker] = effort


class Keys(BaseModel):
    """No keys."""


class Errand(Market):
    """See the module's docstring."""

    name = "errand"
    version = 0
    title = "a caller and two workers"
    kernels = __name__
    model = Keys
    measures = (
        Measure("pay", ("caller", "worker"), "money", +1, "what the seat earned", in_harm=True),
    )
    headline = "pay"

    def declare(self) -> None:
        worker = Part("worker", (0, 1), "whom to call")
        bonus = Part("bonus", (0.0, 1.0), "what the worker gets on top")
        effort = Part("effort", (0, 1, 2), "how hard the worker tries")
        last = Part("last_effort", (0, 1, 2), "its last effort")
        caller = (Block(0, (), (worker,)), Block(1, (worker,), (bonus,)))
        workers = (Block(0), Block(1, (last,), (effort,)), Block(1))
        self.phases = ("call", "reply")
        self.roles = (
            Role("caller", 1, "pay", "pay", caller),
            Role("worker", 2, "pay", "pay", workers),
        )
        self.params = np.zeros(1)
        self.state_width = EFFORT + 2
