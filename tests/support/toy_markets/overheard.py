"""A toy market that breaks the contract: its last phase reads what was done in the first one.

The rules ought to keep the word in `state`. Here they look into `actions`, where the engine happens
to leave it, so a phase is no function of its state and of what the acting seats do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel

from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Block, Market, Measure, Part, Role

PAY = 0  # column of measures


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nothing is kept."""
    state[:] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The phase."""
    return phase


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """A word, then a guess of it, which pays both if it is right."""
    if phase == 1 and actions[0] == actions[1]:
        measures[:2, PAY] = 1.0


class Keys(BaseModel):
    """No keys."""


class Overheard(Market):
    """See the module's docstring."""

    name = "overheard"
    version = 0
    title = "a word and a guess"
    kernels = __name__
    model = Keys
    measures = (Measure("pay", ("speaker", "guesser"), "money", +1, "earned", in_harm=True),)
    headline = "pay"
    play_draws = False  # type: ignore[assignment]

    def declare(self) -> None:
        word = Part("word", (0, 1), "said or guessed")
        self.phases = ("say", "guess")
        self.roles = (
            Role("speaker", 1, "pay", "pay", (Block(0, (), (word,)), Block(1))),
            Role("guesser", 1, "pay", "pay", (Block(0), Block(1, (), (word,)))),
        )
        self.params = np.zeros(1)
        self.state_width = 1
