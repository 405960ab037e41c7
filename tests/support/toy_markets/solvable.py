"""Four tiny games that can be solved by hand: every learner must solve them.

- `dominant`: two players give 0, 1 or 2; a gift costs its giver 1 a piece and pays everybody .4 a
  piece. Whatever the other did or does, 0 is best.
- `bandit`: in each pair of rounds one of two arms pays 1, the other nothing; which one is drawn
  anew. Who remembers the first round wins the second: .75 a round, without memory .5.
- `chain`: one walker, two phases. It picks a road, sees it, picks a turn, and is paid
  `STAND * x + PAID[road][turn]`; x is last round's turn. Turn 0 pays more now, turn 1 later.
- `pennies`: matching pennies. Only the even mixture cannot be exploited.

One module with one set of kernels, so that a loop is compiled once for all four.
"""

from __future__ import annotations

from typing import Any, Literal

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
from tacit.envs.rng import below

DOMINANT, BANDIT, CHAIN, PENNIES = range(4)
KINDS = ("dominant", "bandit", "chain", "pennies")
COST = 1.0  # dominant: what a piece costs its giver
SHARE = 0.4  # dominant: what a piece pays everybody
PAID = ((1.0, 0.8), (0.0, 0.4))  # chain: [road][turn]
STAND = 1.5  # chain: what last round's turn 1 is worth
PAY = 0  # column of measures
SEEN = 0  # state: from here what each of two seats sees
ARM = 2  # state: from here each seat's paying arm
ARMS = 0  # from here a slot of draws for each seat


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Nothing has been seen; the paying arms are drawn."""
    state[:] = 0.0
    for s in range(2):
        state[ARM + s] = below(key, ARMS + s, 2)


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """What a seat sees; in the chain's phase 1, behind the two of phase 0, x and the road."""
    if phase == 1:
        return 2 + 2 * int(state[SEEN]) + int(state[SEEN + 1])
    return int(state[SEEN + seat])


@kernel
def play_chain(state: Any, phase: Any, actions: Any, measures: Any) -> None:
    """The walker's phase."""
    action = actions[0]
    if phase == 0:
        state[SEEN + 1] = action  # the road
        return
    road, turn = int(state[SEEN + 1]), action - 2  # actions 0 and 1 are the roads
    measures[0, PAY] = STAND * state[SEEN] + PAID[road][turn]
    state[SEEN], state[SEEN + 1] = turn, 0.0


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase of the game that `params` names."""
    kind = params[0]
    if kind == CHAIN:
        play_chain(state, phase, actions, measures)
        return
    for s in range(2):
        own, other = actions[s], actions[1 - s]
        if kind == DOMINANT:
            measures[s, PAY] = SHARE * (own + other) - COST * own
            state[SEEN + s] = other
        elif kind == BANDIT:
            won = int(own == state[ARM + s])
            measures[s, PAY] = won
            if state[SEEN + s] == 0:
                state[SEEN + s] = 1 + 2 * own + won
            else:
                state[SEEN + s] = 0
                state[ARM + s] = below(key, ARMS + s, 2)
        else:
            measures[s, PAY] = 1.0 if (own == other) == (s == 0) else -1.0


class Keys(BaseModel):
    """Which of the four games."""

    game: Literal["dominant", "bandit", "chain", "pennies"] = "dominant"


class Solvable(Market):
    """See the module's docstring: `Solvable({"game": "bandit"})`."""

    name = "solvable"
    version = 0
    title = "games with known solutions"
    kernels = __name__
    model = Keys
    measures = (Measure("pay", ("player",), "money", +1, "what the seat earned", in_harm=True),)
    headline = "pay"

    def declare(self) -> None:
        self.phases = ("road", "turn") if self.config.game == "chain" else ("play",)
        seats = 1 if self.config.game == "chain" else 2
        self.roles = (Role("player", seats, "pay", "pay", self._blocks()),)
        self.params = np.array([KINDS.index(self.config.game)], np.float64)
        self.state_width = ARM + 2

    def _blocks(self) -> tuple[Block, ...]:
        arm = Part("arm", (0, 1), "which arm to pull")
        gift = Part("gift", (0, 1, 2), "how much to give")
        if self.config.game == "dominant":
            return (Block(0, (Part("received", (0, 1, 2), "the other's last gift"),), (gift,)),)
        if self.config.game == "bandit":
            known = ("nothing", "0 lost", "0 won", "1 lost", "1 won")
            return (Block(0, (Part("memory", known, "the pair's first round"),), (arm,)),)
        if self.config.game == "pennies":
            return (Block(0, (), (Part("side", ("heads", "tails"), "of the coin"),)),)
        stand = Part("stand", (0, 1), "last round's turn")
        road = Part("road", (0, 1), "which road to take")
        turn = Part("turn", (0, 1), "which way to turn")
        return (Block(0, (stand,), (road,)), Block(1, (stand, road), (turn,)))


def chain_q(discount: float) -> np.ndarray:
    """The optimal action values of the chain, float64 [6, 4]; illegal cells are NaN.

    Turn 1 is best wherever discount * STAND > PAID[0][0] - PAID[0][1]; then, with road 0,
    V(1) = (STAND + PAID[0][1]) / (1 - discount) and V(0) = PAID[0][1] + discount * V(1). No
    discount lies between the two phases of a round.
    """
    assert discount * STAND > PAID[0][0] - PAID[0][1]
    high = (STAND + PAID[0][1]) / (1.0 - discount)
    value = (PAID[0][1] + discount * high, high)
    q = np.full((6, 4), np.nan)
    for x in range(2):
        for road in range(2):
            later = [STAND * x + PAID[road][turn] + discount * value[turn] for turn in range(2)]
            q[2 + 2 * x + road, 2:] = later
            q[x, road] = max(later)
    return q


# what an optimal player does where it matters: observation -> action
BEST = {
    "dominant": {0: 0, 1: 0, 2: 0},
    "bandit": {1: 1, 2: 0, 3: 0, 4: 1},
    "chain": {0: 0, 1: 0, 2: 3, 3: 3, 4: 3, 5: 3},
}
EARNS = {"dominant": 0.0, "bandit": 0.75, "chain": STAND + PAID[0][1], "pennies": 0.0}  # a round
