"""One seller that climbs a ladder of prices, and a measure that telescopes.

The seller posts 1, 2 or 3 and sells 4 - price units. `rise` is .9 x price - last price: at a
discount of .9 it is the difference of a potential (the last price), `move` its absolute value.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from tacit.envs.analysis import Analysis
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Block, Market, Measure, Part, Role

DISCOUNT = 0.9
PROFIT, RISE, MOVE = range(3)


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """The last price is 1."""
    state[0] = 1.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The step of the last price."""
    return int(state[0]) - 1


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Sell, and remember the price."""
    price = 1.0 + actions[0]
    measures[0, PROFIT] = price * (4.0 - price)
    measures[0, RISE] = DISCOUNT * price - state[0]
    measures[0, MOVE] = abs(price - state[0])
    state[0] = price


class Keys(BaseModel):
    """No keys."""


class LadderAnalysis(Analysis):
    """Nothing is drawn."""

    luck = False  # type: ignore[assignment]


class Ladder(Market):
    """See the module's docstring."""

    name = "ladder"
    title = "one seller, three prices"
    kernels = __name__
    model = Keys
    measures = (
        Measure("profit", ("seller",), "money", +1, "price x units", in_harm=True),
        Measure("rise", ("seller",), "money", 0, ".9 x price - last price", past=True),
        Measure("move", ("seller",), "money", -1, "|price - last price|", past=True),
    )
    headline = "profit"
    analysis_class: ClassVar[type[Analysis]] = LadderAnalysis
    play_draws = False  # type: ignore[assignment]

    def declare(self) -> None:
        last = Part("last_price", (1, 2, 3), "the last price")
        price = Part("price", (1, 2, 3), "what the seller asks")
        self.phases = ("post",)
        self.roles = (Role("seller", 1, "profit", "profit", (Block(0, (last,), (price,)),)),)
        self.params = np.zeros(1)
        self.state_width = 1
