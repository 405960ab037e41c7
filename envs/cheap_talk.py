"""Cheap talk: a sender knows, a receiver acts, and words cost nothing. The market to read first.

Rules. Every round a state t is drawn, each of 0, 1/(states-1), ..., 1 equally likely. The sender
sees it and sends a message, which may name any state. The receiver sees the message, not the state,
and chooses an action a of 0, 1/(actions-1), ..., 1. The receiver wants a = t; the sender wants the
action to lie `bias` above the state. The message is neither checked nor charged for.

| who | phase | observation | action |
|---|---|---|---|
| sender | tell | state | message: "the state is ..." |
| receiver | act | message | action |

Payoffs: sender -(a - t - bias)^2, receiver -(a - t)^2. Rewards are the KPI's; episodes end by
truncation only.

A message means what the receiver makes of it. Learners settle on a language of their own, in which
"the state is .2" may stand for any state. So messages are judged by the information in them
(`tacit.emergence.claims.signalling`). Whether a message is *true* is of interest only where players
take it literally, as `truthful` and `trusting` do: with `language: given` claims are judged as in
other markets, and the rules are the same. With `claims_heard: false` the receiver sees the first
message, whatever was sent.

Source: Crawford, Sobel, "Strategic information transmission", Econometrica 50(6), 1982; on grids,
with learners: Condorelli, Furlan, "Cheap talking algorithms", 2023.

Version history: v0, first release.

The parts of this file are those of every market, in the same order: config, measures, positions,
kernels, benchmarks, analysis, and the market itself. In larger markets each part is a module. The
kernels work on `params` float64 `[4]` and `state` float64 `[2]`, whose positions have names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Benchmark, Block, Claim, Lot, Market, Measure, Part, Role, Seat
from tacit.envs.market.figures import figure_text
from tacit.envs.rng import below
from tacit.envs.types import Floats, Ints, Share

# --- config ---------------------------------------------------------------------------------------


class CheapTalkConfig(BaseModel):
    """Keys of the market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    states: Annotated[int, Field(ge=2, le=12)] = Field(6, description="states, and messages")
    actions: Annotated[int, Field(ge=2, le=1_001)] = Field(11, description="the receiver's actions")
    bias: Share = Field(0.1, description="how far above the state the sender wants the action")
    language: Literal["free", "given"] = Field(
        "free", description="a word means what players make of it, or the state that it names"
    )
    claims_heard: bool = Field(
        True,
        description="false: nobody hears what others claim, as if all said the same (a control)",
    )


# --- measures -------------------------------------------------------------------------------------

SENDER, RECEIVER, BOTH = ("sender",), ("receiver",), ("sender", "receiver")
MEASURES = (
    Measure("payoff", BOTH, "payoff", +1, "less the squared distance to what the seat wants"),
    Measure("false_claim", SENDER, "claim", -1, "1 if the message names another state"),
    Measure("claimed_above", SENDER, "state", 0, "the state that it names less the true one"),
    Measure("error", ("receiver", "market"), "state", -1, "|action - state|"),
    Measure("welfare", ("market",), "payoff", +1, "the sum of both payoffs"),
)
PAYOFF, FALSE_CLAIM, CLAIMED_ABOVE, ERROR, WELFARE = range(len(MEASURES))  # their columns

# --- positions of params and state, slots of draws ------------------------------------------------

# Positions in `params`, float64 [4].
STATES = 0  # number of states, and of messages
ACTIONS = 1  # number of the receiver's actions
BIAS = 2  # what the sender wants the action to exceed the state by
HEARD = 3  # 1: the receiver sees the message; 0: it sees message 0 always

# Positions in `state`, float64 [2]. Both are steps on the grid of states: 0 .. states - 1.
STATE = 0  # the true state, drawn for the round to come
MESSAGE = 1  # the state that the last message names
STATE_WIDTH = 2

# Slots of draws.
STATE_DRAW = 0

# --- kernels: the rules, as compiled functions of one copy ----------------------------------------


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: draw a state into `state` `[2]`; nothing has been said."""
    state[STATE] = below(key, STATE_DRAW, int(params[STATES]))
    state[MESSAGE] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees in the coming phase, from `state` `[2]`.

    The sender (seat 0) has an observation for each state, then one for its waiting. The receiver
    has one for its waiting, then one for each message.
    """
    if seat == 0:
        return int(state[STATE]) if phase == 0 else int(params[STATES])
    return 0 if phase == 0 else 1 + int(state[MESSAGE]) * int(params[HEARD])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Phase 0: the message is sent. Phase 1: the receiver acts and the next state is drawn.

    `state` float64 `[2]`, `actions` int64 `[2]`, `measures` float64 `[3, 5]`; rows are the sender,
    the receiver, the market.
    """
    if phase == 0:
        state[MESSAGE] = actions[0]
        return
    top = params[STATES] - 1.0
    truth, named = state[STATE] / top, state[MESSAGE] / top
    error = actions[1] / (params[ACTIONS] - 1.0) - truth
    measures[0, PAYOFF] = -((error - params[BIAS]) ** 2)
    measures[0, FALSE_CLAIM] = 1.0 if named != truth else 0.0
    measures[0, CLAIMED_ABOVE] = named - truth
    measures[1, PAYOFF] = -(error**2)
    measures[1, ERROR] = measures[2, ERROR] = abs(error)
    measures[2, WELFARE] = measures[0, PAYOFF] + measures[1, PAYOFF]
    # The first phase of the next round already shows the state, so it is drawn at a round's end.
    state[STATE] = below(key, STATE_DRAW, int(params[STATES]))


# --- benchmarks -----------------------------------------------------------------------------------

TOLERANCE = 1e-12  # distances that differ by less are equal, whatever the rounding


class Equilibrium(NamedTuple):
    """A pure equilibrium: messages stand for cells of neighbouring states.

    Attributes:
        cells: the steps of the states in each cell, in ascending order.
        actions: the receiver's action in each cell.
    """

    cells: tuple[range, ...]
    actions: tuple[float, ...]

    def errors(self, states: Floats) -> Floats:
        """action - state for each of `states` float64 `[states]`, float64 `[states]`."""
        played = [a for cell, a in zip(self.cells, self.actions, strict=True) for _ in cell]
        return np.array(played) - states


def partitions(states: int) -> Iterator[tuple[range, ...]]:
    """Every division of the steps 0 .. states - 1 into cells of neighbours, the whole first."""
    for cuts in product((False, True), repeat=states - 1):
        ends = [k + 1 for k, cut in enumerate(cuts) if cut]
        yield tuple(map(range, [0, *ends], [*ends, states]))


# --- analysis -------------------------------------------------------------------------------------


class CheapTalkAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: CheapTalk

    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """`truthful` and `always_bluff` senders (the next state above), a `trusting` receiver."""
        seen = seat.role.decode_observation(observation)
        step_of = self.market.states.index
        if seat.role.name == "sender" and rule in ("truthful", "always_bluff"):
            named = step_of(seen["state"]) + (rule == "always_bluff")
            return (min(named, len(self.market.states) - 1),)
        if seat.role.name == "receiver" and rule == "trusting":
            named = step_of(seen["message"])
            best = self.market.best_actions(range(named, named + 1))
            return tuple(self.market.grid.index(action) for action in best)
        return ()

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """The state, before the first phase."""
        if phase > 0:
            return ()
        count = len(self.market.states)
        steps = tuple(float(k) for k in range(count))
        return (Draw(STATE, steps, ((1.0 / count,) * count,)),)

    @property
    def luck(self) -> bool:
        """No draw within `play` matters for the round that it ends."""
        return False

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """All states are equally likely."""
        count = len(self.market.states)
        return (1.0 / count,) * count if part == "state" else None

    def theory(self) -> dict[str, float]:
        """The information in the strict equilibrium's messages, I(state; message) / H(state).

        A message names a cell, so the information is the entropy of the cells over that of the
        states.
        """
        sizes = np.array([len(cell) for cell in self.market.equilibrium(strict=True).cells])
        share = sizes / sizes.sum()
        information = -float((share * np.log(share)).sum()) / float(np.log(sizes.sum()))
        # One cell gives -0.0.
        return {"signalling/message": max(0.0, information)}


# --- the market -----------------------------------------------------------------------------------


class CheapTalk(Market):
    """See the module's docstring.

    Attributes set by `declare`, beside those of `Market`:
        states: 0 .. 1, ascending.
        grid: the receiver's actions, 0 .. 1, ascending.
    """

    analysis_class = CheapTalkAnalysis
    name = "cheap_talk"
    version = 0
    title = "a sender tells a receiver what only it knows, and words cost nothing"
    kernels = __name__
    model = CheapTalkConfig
    measures = MEASURES
    headline = "error"
    derived_meanings: ClassVar[Mapping[str, tuple[str, str]]] = {
        "loss_avoided": ("share", "of the receiver's loss under babbling that it does not suffer")
    }
    welfare = "welfare"
    config: CheapTalkConfig

    def declare(self) -> None:
        """Two seats, two phases: in each one seat acts and the other waits."""
        c = self.config
        self.states = tuple(k / (c.states - 1) for k in range(c.states))
        self.grid = tuple(k / (c.actions - 1) for k in range(c.actions))
        state = Part("state", self.states, "what is so")
        message = Part("message", self.states, "what the sender says is so")
        action = Part("action", self.grid, "what the receiver does")
        self.phases = ("tell", "act")
        sender = (Block(0, sees=(state,), does=(message,)), Block(1))
        receiver = (Block(0), Block(1, sees=(message,), does=(action,)))
        self.roles = (
            Role("sender", 1, fundamental="payoff", default_kpi="payoff", blocks=sender),
            Role("receiver", 1, fundamental="payoff", default_kpi="payoff", blocks=receiver),
        )
        free = c.language == "free"
        self.claims = (Claim("sender", "message", "state", "false_claim", "false_claim", free),)
        self.params = np.array([c.states, c.actions, c.bias, c.claims_heard], np.float64)
        self.state_width = STATE_WIDTH

    @property
    def play_lots(self) -> tuple[Lot, ...]:
        """The next state, as a round ends."""
        return (Lot.below(STATE_DRAW, [self.config.states]),)

    # --- equilibria -----------------------------------------------------------------------------

    def equilibrium(self, strict: bool = False) -> Equilibrium:
        """The most informative pure equilibrium: the one that is best for the receiver.

        Args:
            strict: only among those in which every state would lose by taking another cell's
                message.
        """
        states = np.array(self.states)
        found = self._equilibria(strict)
        return min(found, key=lambda each: float((each.errors(states) ** 2).sum()))

    def _equilibria(self, strict: bool) -> Iterator[Equilibrium]:
        """Every partition of the states into neighbours at which nobody gains by deviating.

        The receiver plays an action nearest the mean of the cell (tied ones are all tried); no
        state prefers another cell's action. One cell is always an equilibrium, babbling; where no
        message is heard, it is the only one. Only cells of neighbours need be tried, because the
        sender's preference is single-crossing in t.
        """
        c = self.config
        cells_to_try = partitions(c.states) if c.claims_heard else iter([(range(c.states),)])
        for cells in cells_to_try:
            for actions in product(*map(self.best_actions, cells)):
                if all(
                    self._prefers_own(t, k, actions, strict)
                    for k, cell in enumerate(cells)
                    for t in cell
                ):
                    yield Equilibrium(cells, actions)

    def best_actions(self, cell: range) -> list[float]:
        """The receiver's best actions if all it knows is that the state lies in the cell."""
        mean = sum(self.states[k] for k in cell) / len(cell)
        nearest = min(abs(a - mean) for a in self.grid)
        return [a for a in self.grid if abs(a - mean) <= nearest + TOLERANCE]

    def _prefers_own(self, t: int, own: int, actions: tuple[float, ...], strict: bool) -> bool:
        """Whether a sender in state number t, of cell `own`, wants no other cell's action."""
        distances = [abs(a - self.states[t] - self.config.bias) for a in actions]
        bound = distances[own] + (TOLERANCE if strict else -TOLERANCE)
        return all(other > bound for k, other in enumerate(distances) if k != own)

    def benchmarks(self) -> dict[str, Benchmark]:
        """Three equilibria, by how much their messages tell.

        `babbling`: no message means anything. `informative`: the equilibrium that is best for the
        receiver. `strict`: the best of those that no sender is indifferent about leaving.

        The sender's mean payoff is the receiver's less bias^2 wherever the mean action is the mean
        state: both are better off with more information, and still it cannot be had.
        """
        whole = range(self.config.states)
        babbling = Equilibrium((whole,), (self.best_actions(whole)[0],))
        source = "Crawford, Sobel 1982; on this grid, enumerated: "
        found = {"babbling": self._benchmark(babbling, "one best reply to every message")}
        for name, strict in (("informative", False), ("strict", True)):
            best = self.equilibrium(strict)
            found[name] = self._benchmark(best, source + self._cells_in_words(best))
        return found

    def _cells_in_words(self, equilibrium: Equilibrium) -> str:
        """As in `{0} {0.2, 0.4} {0.6, 0.8, 1}`."""
        cells = [", ".join(f"{self.states[k]:.3g}" for k in cell) for cell in equilibrium.cells]
        return " ".join("{" + cell + "}" for cell in cells)

    def _benchmark(self, equilibrium: Equilibrium, source: str) -> Benchmark:
        """The expected measures of an equilibrium."""
        error = equilibrium.errors(np.array(self.states))
        receiver = -float((error**2).mean())
        sender = -float(((error - self.config.bias) ** 2).mean())
        values = {"error": float(np.abs(error).mean()), "payoff": (sender + receiver) / 2.0}
        return Benchmark(values | {"welfare": sender + receiver}, source)

    # --- summaries and words --------------------------------------------------------------------

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """`loss_avoided`: 1 - the receiver's loss / its loss under babbling."""
        babbling = float(np.var(self.states))
        return {"loss_avoided": 1.0 + means["payoff/receiver_0"] / babbling}

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """What was so, said and done; `actions` int64 `[2, 2]`, `measures` float64 `[3, 5]`."""
        named, done = self.states[actions[0, 0]], self.grid[actions[1, 1]]
        truth = named - measures[0, CLAIMED_ABOVE]
        false = " (false)" if measures[0, FALSE_CLAIM] else ""
        return [
            f"sender_0, in state {truth:.3g}, says {named:.3g}{false}",
            f"receiver_0 does {done:.3g}",
            f"payoffs: sender {figure_text(measures[0, PAYOFF])}, "
            f"receiver {figure_text(measures[1, PAYOFF])}",
        ]
