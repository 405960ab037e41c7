"""A market of one's own, whole in one file: two growers bring crates to one stall, and the more
they bring, the less a crate is worth. It is trained under two KPIs, compared, and judged.

    python examples/my_market.py                       # runs `main` below
    TACIT_PLUGINS=examples/my_market.py tacit train growers
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import tacit
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.analysis import Analysis, Rivalry
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Benchmark, Block, Market, Measure, Part, Role, Seat
from tacit.training.outcome.summary import difference

CRATES = (2, 3, 4, 5, 6)  # what a grower can bring


class GrowersConfig(BaseModel):
    """Keys of the market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    top_price: Annotated[float, Field(gt=12)] = Field(18.0, description="of a crate, if none came")
    cost: Annotated[float, Field(ge=0, le=6)] = Field(6.0, description="of growing a crate")


MEASURES = (
    Measure("profit", ("grower",), "money", +1, "(price - cost) x crates", in_harm=True),
    Measure("brought", ("grower", "market"), "crates", 0, "crates brought"),
    Measure("price", ("market",), "money", 0, "what a crate fetches"),
)
PROFIT, BROUGHT, PRICE = range(3)  # columns of `measures`
TOP_PRICE, COST = range(2)  # entries of `params`; `state`: each grower's last step in CRATES


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Both brought three crates last week, as is best for both."""
    state[:] = 1.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """What both brought last week: the same for both."""
    return int(state[0]) * 5 + int(state[1])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """A crate's price falls by 1 with every crate."""
    total = 4.0 + actions[0] + actions[1]  # action k brings 2 + k crates
    price = params[TOP_PRICE] - total
    for seat in range(2):
        crates = 2.0 + actions[seat]
        measures[seat, PROFIT] = (price - params[COST]) * crates
        measures[seat, BROUGHT] = crates
        state[seat] = actions[seat]
    measures[2, BROUGHT] = total
    measures[2, PRICE] = price


class GrowersAnalysis(Analysis):
    """What probes need: growers compete by what they bring, and more of it is tougher."""

    market: Growers

    # The measure is called `brought`, the action part `crates`: names mean nothing.
    rivalry: ClassVar[Mapping[str, Rivalry]] = {
        "grower": Rivalry("brought", part="crates", competition=+1, sellers=True)
    }
    luck = False  # a round's payoffs depend on no draw

    def value_scale(self, role: Role) -> float:
        """A monopoly's profit: a gain is small beside it."""
        return self.market.margin**2 / 4.0

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The number of crates of each benchmark, as an action."""
        chosen = {"competitive": self.market.margin / 3, "collusive": self.market.margin / 4}
        if benchmark not in chosen:
            return None
        return int(np.argmin(np.abs(np.array(CRATES) - chosen[benchmark])))

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """What both brought, as the observation shows it."""
        first, second = divmod(observation, len(CRATES))
        return {"grower_0": first, "grower_1": second}


class Growers(Market):
    """See the module's docstring."""

    analysis_class = GrowersAnalysis
    name = "growers"
    title = "two growers bring crates to one stall"
    kernels = __name__
    model = GrowersConfig
    measures = MEASURES
    headline = "price"
    play_draws = False
    config: GrowersConfig

    def declare(self) -> None:
        """One role, one decision a week."""
        c = self.config
        last = tuple(
            Part(f"last_{i}", CRATES, "brought last week", of=f"grower_{i}", age=1) for i in (0, 1)
        )
        block = Block(0, sees=last, does=(Part("crates", CRATES, "crates that it brings"),))
        self.phases = ("bring",)
        self.roles = (Role("grower", 2, "profit", "profit", (block,)),)
        self.params = np.array([c.top_price, c.cost], np.float64)
        self.state_width = 2

    @property
    def margin(self) -> float:
        """What the first crate would earn."""
        return self.config.top_price - self.config.cost

    def benchmarks(self) -> dict[str, Benchmark]:
        """Cournot's equilibrium, a third of the margin each, and the joint optimum, a quarter."""

        def of(crates: float, source: str) -> Benchmark:
            price = self.config.top_price - 2 * crates
            profit = (price - self.config.cost) * crates
            return Benchmark({"profit": profit, "price": price, "brought": 2 * crates}, source)

        return {
            "competitive": of(self.margin / 3, "Cournot equilibrium, closed form"),
            "collusive": of(self.margin / 4, "joint profit, closed form"),
        }

    def derived(self, means: Mapping[str, float]) -> dict[str, float]:
        """The collusion index: 0 at Cournot's profit, 1 at the joint optimum's."""
        low, high = self.margin**2 / 9, self.margin**2 / 8
        return {"collusion_index": (means["profit"] - low) / (high - low)}


def main() -> None:
    """Train under two KPIs, compare, and ask the probes, also about players that are known."""
    experiment = {
        "question": "What if growers are also paid for what they bring?",
        "market": "growers",
        "agents": {"grower": "q_learning"},
        "train": {"rounds": 200_000, "measure_last": 20_000},
        "seeds": 4,
        "arms": {"profit": {}, "volume": {"kpi.grower.brought": 2}},
    }
    with tempfile.TemporaryDirectory() as folder:
        found = tacit.train(experiment, name="growers", results=folder)["arms"]
        arms = tacit.load_run("growers", results=folder).arms
        for name, arm in arms.items():
            print(f"{name}: a crate fetches {arm.measures['price']}")
            print(f"  {arm.verdicts['collusion'].word}: {arm.verdicts['collusion'].evidence[0]}")
        policies = arms["profit"].policies()
        print(f"a profit grower, after 4 and 4: {policies['grower_0'].act([0, 2, 2])}")
    gap = difference(found["volume"], found["profit"], "price")
    assert gap is not None
    print(f"paid for volume: {gap.mean:.2f} [{gap.low:.2f}, {gap.high:.2f}], n = {gap.n}")
    market = tacit.make_market("growers")
    rule = ScriptedConfig(rule="grim_trigger")
    tables = [Scripted(rule, market, seat).table() for seat in market.seats]
    start = tacit.evaluate({"grower": "collusive"}, market, rounds=10, seeds=1)
    print(
        f"both at the joint optimum: {start['price'].mean}, index {start['collusion_index'].mean}"
    )
    arm = [tacit.freeze(market, None, tables, seed=k) for k in range(48)]
    for verdict in tacit.verdicts(arm):
        print(f"grim trigger, {verdict.behaviour}: {verdict.word}")


if __name__ == "__main__":
    # Compiled loops import a market's kernels, so it lives in a module, not in the running script.
    import my_market

    my_market.main()
else:
    tacit.register_market(Growers)
