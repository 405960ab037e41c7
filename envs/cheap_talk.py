"""Cheap talk: a sender knows, a receiver acts, and words cost nothing. The market to read first.

Rules. Every round a state t is drawn, each of 0, 1/(states-1), ..., 1 equally likely. The sender
sees it and sends a message, which may name any state. The receiver sees the message, not the state,
and chooses an action a of 0, 1/(actions-1), ..., 1. The receiver wants a = t; the sender wants the
action to lie `bias` above the state. What is said is neither checked nor charged for.

| who | phase | observation | action |
|---|---|---|---|
| sender | tell | state | message: "the state is ..." |
| receiver | act | message | action |

Payoffs: sender -(a - t - bias)^2, receiver -(a - t)^2. Rewards are the KPI's; episodes end by
truncation only.

A message means what the receiver makes of it: learners settle on a language of their own, in which
"the state is .2" may stand for any state. So what a message says is judged by the information in
it (`tacit.emergence.claims.signalling`); whether it is *true* only says something of players that
take it
by its word, `truthful` and `trusting`: for them `language: given` has claims judged as elsewhere.
It changes nothing in the rules. With `claims_heard: false` the receiver sees the first message,
whatever was said.

Source: Crawford, Sobel, "Strategic information transmission", Econometrica 50(6), 1982; on grids,
with learners: Condorelli, Furlan, "Cheap talking algorithms", 2023.

Version history: v0, first release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import (
    Benchmark,
    Block,
    Claim,
    Market,
    Measure,
    Part,
    Role,
    Seat,
)
from tacit.envs.rng import below

SLACK = 1e-12  # payoffs that differ by less are equal


class CheapTalkConfig(BaseModel):
    """Keys of the market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    states: Annotated[int, Field(ge=2, le=12)] = Field(6, description="states, and messages")
    actions: Annotated[int, Field(ge=2, le=1_001)] = Field(11, description="the receiver's actions")
    bias: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.1, description="how far above the state the sender wants the action"
    )
    language: Literal["free", "given"] = Field(
        "free", description="a word means what players make of it, or the state that it names"
    )
    claims_heard: bool = Field(
        True,
        description="false: nobody hears what others claim, as if all said the same (a control)",
    )


SENDER, RECEIVER, BOTH = ("sender",), ("receiver",), ("sender", "receiver")
MEASURES = (
    Measure("payoff", BOTH, "payoff", +1, "less the squared distance to what the seat wants"),
    Measure("false_claim", SENDER, "claim", -1, "1 if the message names another state"),
    Measure("claimed_above", SENDER, "state", 0, "the state that it names less the true one"),
    Measure("error", ("receiver", "market"), "state", -1, "|action - state|"),
    Measure("welfare", ("market",), "payoff", +1, "the sum of both payoffs"),
)
PAYOFF, FALSE_CLAIM, CLAIMED_ABOVE, ERROR, WELFARE = range(5)
STATES, ACTIONS, BIAS, HEARD = range(4)  # params
STATE, MESSAGE = range(2)  # the state row: positions on the grid of states
STATE_DRAW = 0  # the slot of the only draw


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """A state is drawn; nothing has been said."""
    state[STATE] = below(key, STATE_DRAW, int(params[STATES]))
    state[MESSAGE] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The sender's block of `tell`, the receiver's of `act`; one row each while they wait."""
    if seat == 0:
        return int(state[STATE]) if phase == 0 else int(params[STATES])
    return 0 if phase == 0 else 1 + int(state[MESSAGE]) * int(params[HEARD])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """The message is sent; then the receiver acts, both are paid, and the next state is drawn."""
    if phase == 0:
        state[MESSAGE] = actions[0]
        return
    top = params[STATES] - 1.0
    t, said = state[STATE] / top, state[MESSAGE] / top
    error = actions[1] / (params[ACTIONS] - 1.0) - t
    measures[0, PAYOFF] = -((error - params[BIAS]) ** 2)
    measures[0, FALSE_CLAIM] = 1.0 if said != t else 0.0
    measures[0, CLAIMED_ABOVE] = said - t
    measures[1, PAYOFF] = -(error**2)
    measures[1, ERROR] = measures[2, ERROR] = abs(error)
    measures[2, WELFARE] = measures[0, PAYOFF] + measures[1, PAYOFF]
    state[STATE] = below(key, STATE_DRAW, int(params[STATES]))


class Equilibrium(NamedTuple):
    """Messages stand for cells of neighbouring states; the receiver's action in each."""

    cells: tuple[range, ...]
    actions: tuple[float, ...]

    def losses(self, states: NDArray[np.float64]) -> NDArray[np.float64]:
        """action - state, by state."""
        played = [a for cell, a in zip(self.cells, self.actions, strict=True) for _ in cell]
        return np.array(played) - states


class CheapTalkAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: CheapTalk

    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """`truthful` and `always_bluff` senders (the next state above), a `trusting` receiver."""
        seen = seat.role.decode_observation(observation)
        if seat.role.name == "sender" and rule in ("truthful", "always_bluff"):
            said = self.market.states.index(seen["state"]) + (rule == "always_bluff")
            return (min(said, len(self.market.states) - 1),)
        if seat.role.name == "receiver" and rule == "trusting":
            named = self.market.states.index(seen["message"])
            return tuple(
                self.market.grid.index(a) for a in self.market.best_actions(range(named, named + 1))
            )
        return ()

    def draws(self, phase: int) -> tuple[Draw, ...]:
        count = len(self.market.states)
        law = Draw(STATE, tuple(float(k) for k in range(count)), ((1.0 / count,) * count,))
        return () if phase else (law,)

    @property
    def luck(self) -> bool:
        return False

    def chances(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        return (
            (1.0 / len(self.market.states),) * len(self.market.states) if part == "state" else None
        )

    def theory(self) -> dict[str, float]:
        """What the strict equilibrium tells, I(state; message) / H(state): cells of n states, equal
        to their entropy over that of the states."""
        sizes = np.array([len(cell) for cell in self.market.equilibrium(strict=True).cells])
        share = sizes / sizes.sum()
        told = -float((share * np.log(share)).sum()) / float(np.log(sizes.sum()))
        return {"signalling/message": max(0.0, told)}


class CheapTalk(Market):
    """See the module's docstring."""

    analysis_class = CheapTalkAnalysis
    name = "cheap_talk"
    version = 0
    title = "a sender tells a receiver what only it knows, and words cost nothing"
    kernels = __name__
    model = CheapTalkConfig
    measures = MEASURES
    headline = "error"
    config: CheapTalkConfig

    def declare(self) -> None:
        c = self.config
        self.states = tuple(k / (c.states - 1) for k in range(c.states))
        self.grid = tuple(k / (c.actions - 1) for k in range(c.actions))
        state = Part("state", self.states, "what is so")
        message = Part("message", self.states, "what the sender says is so")
        action = Part("action", self.grid, "what the receiver does")
        self.phases = ("tell", "act")
        self.roles = (
            Role("sender", 1, "payoff", "payoff", (Block(0, (state,), (message,)), Block(1))),
            Role("receiver", 1, "payoff", "payoff", (Block(0), Block(1, (message,), (action,)))),
        )
        free = c.language == "free"
        self.claims = (Claim("sender", "message", "state", "false_claim", "false_claim", free),)
        self.params = np.array([c.states, c.actions, c.bias, c.claims_heard], np.float64)
        self.state_width = 2

    # --- benchmarks ---------------------------------------------------------------------------

    def equilibrium(self, strict: bool = False) -> Equilibrium:
        """The most informative pure equilibrium: the one that is best for the receiver.

        `strict`: of those in which every state would lose by taking another cell's message.
        """
        found, states = self._equilibria(strict), np.array(self.states)
        return min(found, key=lambda e: float((e.losses(states) ** 2).sum()))

    def _equilibria(self, strict: bool) -> Iterator[Equilibrium]:
        """Every partition of the states into neighbours at which nobody gains by deviating.

        The receiver plays an action nearest the mean of the cell (tied ones are all tried); no
        state prefers another cell's action. One cell is always an equilibrium: babbling; where no
        message is heard, the only one. That cells are of neighbours is no loss: the sender's
        preference is single-crossing in t.
        """
        c = self.config
        for cuts in product((False, True), repeat=c.states - 1 if c.claims_heard else 0):
            ends = [k + 1 for k, cut in enumerate(cuts) if cut]
            cells = tuple(map(range, [0, *ends], [*ends, c.states]))
            for actions in product(*map(self.best_actions, cells)):
                told = [(t, k) for k, cell in enumerate(cells) for t in cell]
                if all(self._stays(t, k, actions, strict) for t, k in told):
                    yield Equilibrium(cells, actions)

    def best_actions(self, cell: range) -> list[float]:
        """The receiver's best actions if all it knows is that the state lies in the cell."""
        mean = sum(self.states[k] for k in cell) / len(cell)
        nearest = min(abs(a - mean) for a in self.grid)
        return [a for a in self.grid if abs(a - mean) <= nearest + SLACK]

    def _stays(self, t: int, own: int, actions: tuple[float, ...], strict: bool) -> bool:
        """Whether a sender in state number t, of cell `own`, wants no other cell's action."""
        away = [abs(a - self.states[t] - self.config.bias) for a in actions]
        most = away[own] + (SLACK if strict else -SLACK)
        return all(other > most for k, other in enumerate(away) if k != own)

    def benchmarks(self) -> dict[str, Benchmark]:
        """Babbling: no message means anything. Informative: the equilibrium best for the receiver;
        `strict`: the best of those that no sender is indifferent about leaving.

        The sender's mean payoff is the receiver's less bias^2 wherever the mean action is the mean
        state: both are better off with more information, and still it cannot be had.
        """
        babble = Equilibrium(
            (range(self.config.states),), (self.best_actions(range(len(self.states)))[0],)
        )
        source = "Crawford, Sobel 1982; on this grid, enumerated: "
        best = {"informative": self.equilibrium(), "strict": self.equilibrium(strict=True)}
        marks = {name: self._benchmark(e, source + self._told(e)) for name, e in best.items()}
        return {"babbling": self._benchmark(babble, "one best reply to every message"), **marks}

    def _told(self, at: Equilibrium) -> str:
        """`{0} {0.2, 0.4} {0.6, 0.8, 1}`"""
        cells = [", ".join(f"{self.states[k]:.3g}" for k in cell) for cell in at.cells]
        return " ".join("{" + cell + "}" for cell in cells)

    def _benchmark(self, at: Equilibrium, source: str) -> Benchmark:
        error = at.losses(np.array(self.states))
        receiver = -float((error**2).mean())
        sender = -float(((error - self.config.bias) ** 2).mean())
        values = {"error": float(np.abs(error).mean()), "payoff": (sender + receiver) / 2.0}
        return Benchmark(values | {"welfare": sender + receiver}, source)

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """`loss_avoided`: 1 - the receiver's loss / its loss under babbling."""
        babble = float(np.var(self.states))
        return {"loss_avoided": 1.0 + means["payoff/receiver_0"] / babble}

    def transcript(self, actions: NDArray[np.int64], measures: NDArray[np.float64]) -> list[str]:
        said, done = self.states[actions[0, 0]], self.grid[actions[1, 1]]
        true = said - measures[0, CLAIMED_ABOVE]
        false = " (false)" * bool(measures[0, FALSE_CLAIM])
        return [
            f"sender_0, in state {true:.3g}, says {said:.3g}{false}",
            f"receiver_0 does {done:.3g}",
            f"payoffs: sender {measures[0, PAYOFF]:.3g}, receiver {measures[1, PAYOFF]:.3g}",
        ]
