"""The least that a market needs: rules, and what they are called. No theory, no words, no Analysis.

Two sellers post a price of 1, 2 or 3; each remembers the other's last price. The cheaper one sells
a unit; a tie is broken by one draw. This is where a newcomer's first market begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel

from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Block, Market, Measure, Part, Role
from tacit.envs.rng import below

PRICES = (1, 2, 3)
PROFIT, SOLD = range(2)  # columns of measures
LAST = 0  # state: from here each seller's last price, as its step
TIE = 0  # slot of the only draw


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Both last prices are the lowest one."""
    state[:] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The step of the other's last price."""
    return int(state[LAST + 1 - seat])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """The cheaper seller sells a unit."""
    seller = 0 if actions[0] < actions[1] else 1
    if actions[0] == actions[1]:
        seller = below(key, TIE, 2)
    measures[seller, PROFIT] = 1.0 + actions[seller]
    measures[seller, SOLD] = 1.0
    for i in range(2):
        state[LAST + i] = actions[i]


class Keys(BaseModel):
    """No keys."""


class RulesOnly(Market):
    """See the module's docstring."""

    name = "rules_only"
    title = "two sellers, three prices"
    kernels = __name__
    model = Keys
    measures = (
        Measure("profit", ("seller",), "money", +1, "the price, if it sold"),
        Measure("sold", ("seller",), "unit", 0, "1 if it sold"),
    )
    headline = "profit"

    def declare(self) -> None:
        last = Part("last_price", PRICES, "the other's last price")
        price = Part("price", PRICES, "what the seller asks")
        self.phases = ("post",)
        self.roles = (Role("seller", 2, "profit", "profit", (Block(0, (last,), (price,)),)),)
        self.params = np.zeros(1)
        self.state_width = 2
