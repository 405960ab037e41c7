"""Quantity competition: firms choose outputs, and one price clears the market.

Rules. Every round each firm puts an output on sale, all at once. With total output Q everything is
sold at the price p = d - Q, where the demand d is `demand` less or plus `demand_shock`, each
equally likely and drawn anew each round. A firm earns (p - cost) times its own output. Nobody sees
d.

| who | phase | observation | action |
|---|---|---|---|
| firm | produce | last round's outputs, or last round's price only, or nothing | output |

With `monitoring: imperfect` firms see the last price, which a rival's output and the demand move
alike: whether somebody expanded cannot be told from bad luck. What is seen before the first round
is what outputs drawn at random would have shown. Rewards are the KPI's; episodes end by truncation
only.

Source: Cournot competition as in Calvano, Calzolari, Denicolo, Pastorello, "Algorithmic collusion
with imperfect monitoring", International Journal of Industrial Organization 79, 2021, whose
settings are the defaults; the theory of collusion that cannot be seen: Green, Porter, Econometrica
52(1), 1984.

Version history: v0, first release.

Letters: N firms, m outputs of each, M measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.analysis import Analysis
from tacit.envs.errors import InvalidKey
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Benchmark, Block, Market, Measure, Part, Role, Seat
from tacit.envs.rng import below
from tacit.envs.types import Floats, Ints, NonNegative, Positive

# --- config ---------------------------------------------------------------------------------------


class QuantityCompetitionConfig(BaseModel):
    """Keys of the market (money and units are abstract)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    firms: Annotated[int, Field(ge=2, le=8)] = Field(2, description="number of firms")
    demand: Positive = Field(300.0, description="mean of d: the price is d - total output")
    demand_shock: NonNegative = Field(
        0.0, description="each round d is lower or higher by this, equally likely; nobody sees it"
    )
    cost: NonNegative = Field(0.0, description="c, of a unit of output")
    outputs: Annotated[int, Field(ge=2, le=1000)] = Field(15, description="outputs on the grid")
    output_range: tuple[NonNegative, NonNegative] = Field(
        (70.0, 105.0), description="[low, high] of everybody's grid"
    )
    monitoring: Literal["perfect", "imperfect", "none"] = Field(
        "perfect", description="what a firm sees: all last outputs, the last price only, nothing"
    )

    @model_validator(mode="after")
    def _prices_are_positive(self) -> QuantityCompetitionConfig:
        """A price that were cut off at 0 would make profits nonlinear in d, and theory another."""
        low, high = self.output_range
        if low >= high:
            raise InvalidKey("output_range", f"low must be below high, got {[low, high]}.")
        if self.demand <= self.cost:
            message = f"must be above cost ({self.cost:g}), got {self.demand:g}."
            raise InvalidKey("demand", message)
        most = (self.demand - self.demand_shock) / self.firms
        if high > most:
            raise InvalidKey(
                "output_range",
                f"high must be at most {most:g}, got {high:g}: {self.firms} firms that produce "
                "more would make the price negative.",
            )
        return self


# --- measures -------------------------------------------------------------------------------------

FIRM, MARKET = ("firm",), ("market",)
MEASURES = (
    Measure("profit", FIRM, "money", +1, "(price - cost) x its output", in_harm=True),
    Measure("quantity", (*FIRM, *MARKET), "unit", 0, "its output; market: the sum"),
    Measure("price", MARKET, "money per unit", 0, "at which everything is sold"),
    Measure("consumer_surplus", MARKET, "money", +1, "above what buyers pay", in_harm=True),
    Measure("welfare", MARKET, "money", +1, "consumer surplus and all profits", in_harm=True),
)
PROFIT, QUANTITY, PRICE, CONSUMER_SURPLUS, WELFARE = range(len(MEASURES))  # their columns

# --- positions of params and state, slots of draws ------------------------------------------------

# Positions in `params`, float64 [.].
FIRMS = 0  # N
OUTPUTS = 1  # m
DEMAND = 2  # mean of d, money per unit
SHOCK = 3  # how far d lies from its mean, money per unit; 0: never
COST = 4  # of a unit, money
SEES = 5  # NOTHING, LAST_PRICE or LAST_OUTPUTS
PRICE_INDEX = 6  # position in `params` of the index of every price: see `price_number`
GRID = 7  # from here the outputs, units [m]

NOTHING, LAST_PRICE, LAST_OUTPUTS = range(3)  # values of SEES
MONITORING = ("none", "imperfect", "perfect")  # the key's values in that order

# Positions in `state`, float64 [1].
SEEN = 0  # the index of what all firms see
STATE_WIDTH = 1

# Slots of draws.
DEMAND_DRAW = 0  # whether d is high
FIRST_OUTPUTS = 1  # that would have shown what is seen before the first round

# --- kernels: the rules, as compiled functions of one copy ----------------------------------------


@kernel
def high_demand(params: Any, key: Any) -> Any:
    """1 if d lies above its mean in this round, else 0; drawn only where there are shocks."""
    return below(key, DEMAND_DRAW, 2) if params[SHOCK] > 0.0 else 0


@kernel
def price_number(params: Any, steps: Any, high: Any) -> Any:
    """The index of the price among all possible ones, ascending.

    A price follows from `high` and from the sum of all firms' steps on the grid, 0 .. N (m - 1).
    """
    totals = int(params[FIRMS] * (params[OUTPUTS] - 1.0)) + 1
    return params[int(params[PRICE_INDEX]) + int(high) * totals + int(steps)]


@kernel
def show(params: Any, state: Any, joint: Any, steps: Any, high: Any) -> None:
    """Write what firms see of a round into `state` `[1]`.

    `joint` is the index of the joint output, the last firm's fastest; `steps` the sum of all steps.
    """
    state[SEEN] = 0.0
    if params[SEES] == LAST_OUTPUTS:
        state[SEEN] = joint
    elif params[SEES] == LAST_PRICE:
        state[SEEN] = price_number(params, steps, high)


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: show in `state` `[1]` what outputs drawn at random would have shown."""
    joint = steps = 0
    for i in range(int(params[FIRMS])):
        step = int(below(key, FIRST_OUTPUTS + i, int(params[OUTPUTS])))
        joint = joint * int(params[OUTPUTS]) + step
        steps += step
    show(params, state, joint, steps, high_demand(params, key))


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what every firm sees, from `state` `[1]`."""
    return int(state[SEEN])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Everything is sold at d - Q.

    `state` float64 `[1]`, `actions` int64 `[N]`, `measures` float64 `[N + 1, M]`.
    """
    firms = int(params[FIRMS])
    joint = steps = 0
    total = 0.0
    for i in range(firms):
        joint = joint * int(params[OUTPUTS]) + int(actions[i])
        steps += int(actions[i])
        total += params[GRID + int(actions[i])]
    high = high_demand(params, key)
    price = params[DEMAND] + (2.0 * high - 1.0) * params[SHOCK] - total
    # Demand is linear: buyers' values fall from d to the price, so they gain Q/2 a unit on average.
    surplus = 0.5 * total * total
    measures[firms, CONSUMER_SURPLUS] = measures[firms, WELFARE] = surplus
    for i in range(firms):
        output = params[GRID + int(actions[i])]
        measures[i, QUANTITY] = output
        measures[i, PROFIT] = (price - params[COST]) * output
        measures[firms, WELFARE] += measures[i, PROFIT]
    measures[firms, QUANTITY] = total
    measures[firms, PRICE] = price
    show(params, state, joint, steps, high)


# --- benchmarks -----------------------------------------------------------------------------------


def nash_output(config: QuantityCompetitionConfig) -> float:
    """Each firm's output in the Cournot equilibrium, units: (d - c)/(N + 1), d the mean demand."""
    return (config.demand - config.cost) / (config.firms + 1)


def joint_output(config: QuantityCompetitionConfig) -> float:
    """Each firm's equal part of the monopoly output, units: (d - c)/2N."""
    return (config.demand - config.cost) / (2 * config.firms)


def profit_of(config: QuantityCompetitionConfig, output: float) -> float:
    """Each firm's expected profit, money, if all produce `output` units: (d - Nq - c) q."""
    return (config.demand - config.firms * output - config.cost) * output


# --- analysis -------------------------------------------------------------------------------------


class QuantityCompetitionAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: QuantityCompetition

    sees_actions_with = "market.monitoring=perfect"
    conduct: ClassVar[Mapping[str, str]] = {"firm": "quantity"}
    output_competition = True
    memoryless: ClassVar[Mapping[str, Any]] = {"monitoring": "none"}

    @property
    def luck(self) -> bool:
        """Whether demand is drawn."""
        return self.market.play_draws

    def expected(self) -> Market:
        """Demand at its mean, in which profits are linear; not where the price is what is seen."""
        return self._expected

    @cached_property
    def _expected(self) -> Market:
        c = self.market.config
        if not c.demand_shock or c.monitoring == "imperfect":
            return self.market
        return QuantityCompetition({**c.model_dump(), "demand_shock": 0.0})

    def value_scale(self, role: Role) -> float:
        """A monopoly's profit."""
        c = self.market.config
        return (c.demand - c.cost) ** 2 / 4.0

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The output of the grid that is nearest to the benchmark's."""
        outputs = {"competitive": nash_output, "collusive": joint_output}
        if benchmark not in outputs:
            return None
        away = np.abs(self.market.grid - outputs[benchmark](self.market.config))
        return int(np.argmin(away))

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """All last outputs, with perfect monitoring."""
        c = self.market.config
        if c.monitoring != "perfect":
            return None
        steps: dict[str, int | None] = {}
        for i in range(c.firms - 1, -1, -1):
            observation, steps[f"firm_{i}"] = divmod(observation, c.outputs)
        return dict(reversed(steps.items()))


# --- the market -----------------------------------------------------------------------------------


class QuantityCompetition(Market):
    """See the module's docstring.

    Attributes set by `declare`, beside those of `Market`:
        grid: outputs, ascending, units, float64 `[m]`.
    """

    analysis_class = QuantityCompetitionAnalysis
    name = "quantity_competition"
    version = 0
    title = "firms choose outputs in repeated competition, and see outputs or the price only"
    kernels = __name__
    model = QuantityCompetitionConfig
    measures = MEASURES
    headline = "price"
    welfare = "welfare"
    config: QuantityCompetitionConfig

    def declare(self) -> None:
        """One role, one phase; the prices that can be seen are numbered."""
        c = self.config
        self.grid = np.linspace(*c.output_range, c.outputs)
        shocks = np.array([-c.demand_shock, c.demand_shock] if c.demand_shock else [0.0])
        step = (c.output_range[1] - c.output_range[0]) / (c.outputs - 1)
        totals = c.firms * c.output_range[0] + step * np.arange(c.firms * (c.outputs - 1) + 1)
        # Prices that differ by rounding only are one price.
        possible = np.round(c.demand + shocks[:, None] - totals, 9)
        prices, numbers = np.unique(possible.astype(np.float64), return_inverse=True)
        output = Part("quantity", tuple(float(q) for q in self.grid), "the output it sells")
        self.phases = ("produce",)
        blocks = (Block(0, self._sees(prices), (output,)),)
        self.roles = (Role("firm", c.firms, "profit", "profit", blocks),)
        constants = [
            c.firms, c.outputs, c.demand, c.demand_shock, c.cost, MONITORING.index(c.monitoring),
            GRID + c.outputs,
        ]  # fmt: skip
        self.params = np.array([*constants, *self.grid, *numbers.ravel()], np.float64)
        self.state_width = STATE_WIDTH

    def _sees(self, prices: Floats) -> tuple[Part, ...]:
        """What a firm sees; `prices` float64 `[.]` are all that can be, ascending."""
        c = self.config
        if c.monitoring == "none":
            return (Part("memory", ("none",), "it sees nothing"),)
        if c.monitoring == "imperfect":
            return (Part("last_price", tuple(float(p) for p in prices), "last round's price"),)
        outputs = tuple(float(q) for q in self.grid)
        return tuple(
            Part(f"last_quantity_{i}", outputs, f"firm_{i}'s output, last round")
            for i in range(c.firms)
        )

    @property
    def play_draws(self) -> bool:
        """Whether demand is drawn."""
        return self.config.demand_shock > 0.0

    def too_large(self, role: Role) -> str:
        """The advice that follows when a firm sees too much."""
        return "Use fewer firms, fewer outputs, or monitoring: imperfect."

    def benchmarks(self) -> dict[str, Benchmark]:
        """The Cournot equilibrium and the monopoly output in equal parts; they may lie off the
        grid."""
        c = self.config

        def of(output: float, what: str) -> Benchmark:
            total = c.firms * output
            values = {"price": c.demand - total, "profit": profit_of(c, output)}
            values["welfare"] = c.firms * values["profit"] + total * total / 2.0
            return Benchmark(values, f"{what}, closed form in tacit.envs.quantity_competition")

        return {
            "competitive": of(nash_output(c), "Cournot equilibrium"),
            "collusive": of(joint_output(c), "joint profit"),
        }

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """`collusion_index`: the sum of profits between Cournot and joint profit."""
        c = self.config
        low, high = (c.firms * profit_of(c, f(c)) for f in (nash_output, joint_output))
        total = sum(means[f"profit/firm_{i}"] for i in range(c.firms))
        return {"collusion_index": (total - low) / (high - low)}

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """A round in words; `actions` int64 `[1, N]`, `measures` float64 `[N + 1, M]`."""
        lines = [
            f"{seat.name} sells {row[QUANTITY]:.4g} (profit {row[PROFIT]:.5g})"
            for seat, row in zip(self.seats, measures, strict=False)
        ]
        return [*lines, f"the price is {measures[-1, PRICE]:.4g}"]
