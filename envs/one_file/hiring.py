"""Hiring: an employer offers one of a few wage tiers to candidates of two groups.

Rules. Every round one candidate applies. Its ability (each equally likely) is seen by everybody,
its group, `a` or `b`, as well, unless `group_seen: false`. What it can earn elsewhere, its outside
option, is its own secret: the lower or the higher of two amounts that belong to its ability. The
lower one is had with probability `low_outside`, which differs between the groups. The employer
offers a tier, the candidate accepts or declines.

| who | phase | observation | action |
|---|---|---|---|
| employer | offer | ability; group, if seen | tier |
| candidate | answer | ability, outside option, tier | accept or decline |

Payoffs: employer output(ability) - wage(tier) if accepted, else 0; candidate wage - outside option
if accepted, else 0. Output and tiers are the same for both groups and ability is independent of the
group, so to an employer the group says one thing alone: how likely a low outside option is.

What follows, for a candidate that accepts what exceeds its outside option. Let q be the probability
of the lower one, w the lowest tier above it, W the lowest above the higher one, y the output. Paid
for profit less c for each unit of wages, the employer prefers w to W if and only if

    q (y - (1 + c) w) > y - (1 + c) W

The left side falls more slowly in c, so from a border on the lower tier is better, and the border
is lower where q is higher. Between the borders of both groups, equal ability is offered different
tiers, although the KPI names no group (`Hiring.best_tier`, `Hiring.border`). An employer that sees
no group weighs with the mean of both q: then the tiers are equal, and may be the lower ones.

Source: third-degree price discrimination by a buyer, Pigou, "The economics of welfare", 1920, part
II; Robinson, "The economics of imperfect competition", 1933, chapter 26. The borders are derived
here.

Version history: v0, first release.

The kernels work on `params` float64 `[6 + T + 3 A]` and `state` float64 `[4]`, whose positions have
names; T tiers, A abilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Benchmark, Block, Lot, Market, Measure, Part, Role, Seat
from tacit.envs.market.figures import figure_text
from tacit.envs.rng import below, u
from tacit.envs.types import Finite, Floats, Ints, NonNegative, Share

# --- config ---------------------------------------------------------------------------------------

Interior = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Pair = tuple[NonNegative, NonNegative]


class HiringConfig(BaseModel):
    """Keys of the market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiers: Annotated[tuple[NonNegative, ...], Field(min_length=2, max_length=9)] = Field(
        (0.2, 0.4, 0.6), description="wages that can be offered, ascending"
    )
    output: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=9)] = Field(
        (1.0, 1.4), description="what a hire produces, by ability"
    )
    outside: tuple[Pair, ...] = Field(
        ((0.1, 0.3), (0.3, 0.5)),
        description="by ability: the lower and the higher outside option of a candidate",
    )
    low_outside: tuple[Share, Share] = Field(
        (0.2, 0.65), description="by group: probability of the lower outside option"
    )
    share_b: Interior = Field(0.5, description="probability that a candidate is of group b")
    group_seen: bool = Field(True, description="false: the employer sees no group (a control)")

    @model_validator(mode="after")
    def _fits(self) -> HiringConfig:
        """Tiers and pairs ascend; there is a pair for each ability."""
        if any(high <= low for low, high in zip(self.tiers, self.tiers[1:], strict=False)):
            raise ValueError(f"tiers: must ascend, got {list(self.tiers)}")
        if len(self.outside) != len(self.output):
            raise ValueError(
                f"outside: needs a pair for each ability, as many as output has "
                f"({len(self.output)}), got {len(self.outside)}"
            )
        for low, high in self.outside:
            if low > high:
                raise ValueError(f"outside: the lower option comes first, got [{low}, {high}]")
        return self


# --- measures -------------------------------------------------------------------------------------

EMPLOYER, CANDIDATE, ALONE = ("employer",), ("candidate",), ("market",)
MEASURES = (
    Measure(
        "profit", EMPLOYER, "money", +1, "output less wage of a hire; 0 without one", in_harm=True
    ),
    Measure("hire_cost", EMPLOYER, "money", -1, "the wage of a hire; 0 without one"),
    Measure("hired", ("employer", "candidate", "market"), "hire", +1, "1 if the offer is accepted"),
    Measure("tier", ("employer", "candidate", "market"), "tier", 0, "offered: 1, 2, .."),
    Measure(
        "surplus", CANDIDATE, "money", +1, "wage less outside option, if hired; else 0",
        in_harm=True,
    ),
    Measure(
        "tier_gap", ALONE, "tier", 0,
        "+ tier / P(a) for a candidate of group a, - tier / P(b) for one of group b: its mean is "
        "the gap in tier at equal ability",
    ),
    Measure(
        "surplus_a", ALONE, "money", +1, "surplus / P(a) if of group a; its mean: theirs",
        in_harm=True,
    ),
    Measure(
        "surplus_b", ALONE, "money", +1, "surplus / P(b) if of group b; its mean: theirs",
        in_harm=True,
    ),
    Measure("welfare", ALONE, "money", +1, "output less outside option of a hire", in_harm=True),
)  # fmt: skip
(
    PROFIT, HIRE_COST, HIRED, TIER, SURPLUS, TIER_GAP, SURPLUS_A, SURPLUS_B, WELFARE,
) = range(len(MEASURES))  # their columns  # fmt: skip

# --- positions of params and state, slots of draws ------------------------------------------------

# Positions in `params`, float64 [6 + T + 3 A].
TIERS = 0  # T, number of tiers
ABILITIES = 1  # A, number of abilities
SHARE_B = 2  # probability of group b
LOW_OUTSIDE = 3  # of group a, then of b: probability of the lower outside option
GROUP_SEEN = 5  # 1: the employer sees the group
WAGES = 6  # T wages, then A outputs, then A pairs of outside options

# Positions in `state`, float64 [4]. The first three are drawn for the round to come.
ABILITY = 0  # step in the list of abilities
GROUP = 1  # 0: a, 1: b
OUTSIDE = 2  # 0: the lower option, 1: the higher one
OFFERED = 3  # step of the last offer in the list of tiers
STATE_WIDTH = 4

# Slots of draws.
ABILITY_DRAW, GROUP_DRAW, OUTSIDE_DRAW = range(3)

ACCEPT = 0  # the candidate's first action; DECLINE is the second

# --- kernels: the rules, as compiled functions of one copy ----------------------------------------


@kernel
def draw_candidate(params: Any, state: Any, key: Any) -> None:
    """A candidate for the coming round: `params` `[.]`, `state` `[4]`."""
    state[ABILITY] = below(key, ABILITY_DRAW, int(params[ABILITIES]))
    state[GROUP] = 1.0 if u(key, GROUP_DRAW) < params[SHARE_B] else 0.0
    low = params[LOW_OUTSIDE + int(state[GROUP])]
    state[OUTSIDE] = 0.0 if u(key, OUTSIDE_DRAW) < low else 1.0


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: a candidate applies, nothing is offered; `state` `[4]`."""
    draw_candidate(params, state, key)
    state[OFFERED] = 0.0


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees in the coming phase, from `state` `[4]`.

    The employer (seat 0) has an observation for each ability and group that it tells apart, then
    one for its waiting. The candidate has one for its waiting, then one for each ability, outside
    option and tier.
    """
    ability = int(state[ABILITY])
    if seat == 0:
        groups = 2 if params[GROUP_SEEN] else 1
        if phase == 1:
            return int(params[ABILITIES]) * groups
        return ability * groups + (int(state[GROUP]) if params[GROUP_SEEN] else 0)
    if phase == 0:
        return 0
    own = ability * 2 + int(state[OUTSIDE])
    return 1 + own * int(params[TIERS]) + int(state[OFFERED])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Phase 0: a tier is offered. Phase 1: the answer, then the next candidate applies.

    `state` float64 `[4]`, `actions` int64 `[2]`, `measures` float64 `[3, 9]`; rows are the
    employer, the candidate, the market.
    """
    if phase == 0:
        state[OFFERED] = actions[0]
        return
    n_tiers, n_abilities = int(params[TIERS]), int(params[ABILITIES])
    tier, ability, in_b = int(state[OFFERED]), int(state[ABILITY]), state[GROUP] == 1.0
    of_group = params[SHARE_B] if in_b else 1.0 - params[SHARE_B]
    measures[:, TIER] = tier + 1.0
    measures[2, TIER_GAP] = -(tier + 1.0) / of_group if in_b else (tier + 1.0) / of_group
    if actions[1] == ACCEPT:
        wage = params[WAGES + tier]
        output = params[WAGES + n_tiers + ability]
        outside = params[WAGES + n_tiers + n_abilities + 2 * ability + int(state[OUTSIDE])]
        measures[:, HIRED] = 1.0
        measures[0, PROFIT] = output - wage
        measures[0, HIRE_COST] = wage
        measures[1, SURPLUS] = wage - outside
        measures[2, SURPLUS_B if in_b else SURPLUS_A] = (wage - outside) / of_group
        measures[2, WELFARE] = output - outside
    # The first phase of the next round already shows the candidate: it is drawn at a round's end.
    draw_candidate(params, state, key)


# --- analysis -------------------------------------------------------------------------------------


class HiringAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: Hiring

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """A `truthful` candidate accepts what exceeds its outside option, and nothing else."""
        if seat.role.name != "candidate" or rule != "truthful":
            return ()
        seen, c = seat.role.decode_observation(observation), self.market.config
        pair = c.outside[self.market.abilities.index(seen["ability"])]
        wage = c.tiers[seen["tier"] - 1]
        return (int(wage <= pair[OPTIONS.index(seen["outside"])]),)

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """Ability, group and outside option, before the first phase."""
        if phase > 0:
            return ()
        c = self.market.config
        count = len(c.output)
        return (
            Draw(ABILITY, tuple(map(float, range(count))), ((1.0 / count,) * count,)),
            Draw(GROUP, (0.0, 1.0), ((1.0 - c.share_b, c.share_b),)),
            Draw(OUTSIDE, (0.0, 1.0), tuple((q, 1.0 - q) for q in c.low_outside), given=GROUP),
        )

    @property
    def luck(self) -> bool:
        """No draw within `play` matters for the round that it ends."""
        return False

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Of ability, group and outside option."""
        c = self.market.config
        if part == "ability":
            return (1.0 / len(c.output),) * len(c.output)
        if part == "group":
            return 1.0 - c.share_b, c.share_b
        if part == "outside":
            low = self.market.mean_low_outside
            return low, 1.0 - low
        return None

    def value_scale(self, role: Role) -> float:
        """The largest output."""
        return max(self.market.config.output)

    def policy_figures(self, tables: Sequence[Floats]) -> dict[str, float]:
        """`policy_gap`: the gap of the employer's table, exactly: no round is sampled.

        The expected tier that its policy offers to group a less that to group b, mean over
        abilities. 0 by construction where it sees no group.

        Args:
            tables: a policy table float64 `[O, A]` for each seat.
        """
        c = self.market.config
        offered = tables[0][:-1, : len(c.tiers)] @ np.arange(1.0, len(c.tiers) + 1.0)
        by_group = offered.reshape(len(c.output), -1)
        return {"policy_gap": float((by_group[:, 0] - by_group[:, -1]).mean())}


# --- the market -----------------------------------------------------------------------------------

GROUPS = ("a", "b")
OPTIONS = ("low", "high")


class Hiring(Market):
    """See the module's docstring.

    Attributes set by `declare`, beside those of `Market`:
        abilities: their numbers, 1 .. A.
    """

    analysis_class = HiringAnalysis
    name = "hiring"
    version = 0
    title = "an employer offers wage tiers to candidates of two groups"
    kernels = __name__
    model = HiringConfig
    measures = MEASURES
    headline = "tier_gap"
    beside_headline: ClassVar[Mapping[str, str]] = {"hired": "hired"}
    welfare = "welfare"
    config: HiringConfig

    def declare(self) -> None:
        """Two seats, two phases: the employer offers, the candidate answers."""
        c = self.config
        self.abilities = tuple(range(1, len(c.output) + 1))
        ability = Part("ability", self.abilities, "of the candidate, 1 the lowest")
        group = Part("group", GROUPS, "of the candidate")
        outside = Part("outside", OPTIONS, "the own outside option, of the two of the own ability")
        tier = Part("tier", tuple(range(1, len(c.tiers) + 1)), "of the wage offered, 1 the lowest")
        reply = Part("reply", ("accept", "decline"), "to the offer")
        seen = (ability, group) if c.group_seen else (ability,)
        self.phases = ("offer", "answer")
        employer = (Block(0, sees=seen, does=(tier,)), Block(1))
        candidate = (Block(0), Block(1, sees=(ability, outside, tier), does=(reply,)))
        self.roles = (
            Role("employer", 1, fundamental="profit", default_kpi="profit", blocks=employer),
            Role("candidate", 1, fundamental="surplus", default_kpi="surplus", blocks=candidate),
        )
        self.no_deal = {"candidate": ({"reply": "decline"},)}
        self.params = np.array(
            [
                len(c.tiers), len(c.output), c.share_b, *c.low_outside, c.group_seen,
                *c.tiers, *c.output, *(option for pair in c.outside for option in pair),
            ],
            np.float64,
        )  # fmt: skip
        self.state_width = STATE_WIDTH

    @property
    def play_lots(self) -> tuple[Lot, ...]:
        """The next candidate, as a round ends."""
        c = self.config
        low = tuple(sorted({share for share in c.low_outside if 0.0 < share < 1.0}))
        return (
            Lot.below(ABILITY_DRAW, [len(c.output)]),
            Lot(GROUP_DRAW, (c.share_b,)),
            Lot(OUTSIDE_DRAW, low),
        )

    # --- closed form ----------------------------------------------------------------------------

    @property
    def mean_low_outside(self) -> float:
        """The probability of the lower outside option, both groups together."""
        c = self.config
        return (1.0 - c.share_b) * c.low_outside[0] + c.share_b * c.low_outside[1]

    def low_probability(self, group: int) -> float:
        """The employer's belief in the lower outside option; without a group seen, the mean."""
        return self.config.low_outside[group] if self.config.group_seen else self.mean_low_outside

    def accepted(self, ability: int, low: float) -> Floats:
        """The probability that each tier is accepted, float64 `[T]`.

        Args:
            ability: its step in the list.
            low: the probability of the lower outside option.
        """
        wages, (lower, higher) = np.array(self.config.tiers), self.config.outside[ability]
        return low * (wages > lower) + (1.0 - low) * (wages > higher)

    def best_tier(self, ability: int, group: int, cost_weight: float = 0.0) -> int:
        """The step of the tier that is best for profit - cost_weight x wage; the lowest of equals.

        Args:
            ability: its step in the list.
            group: 0 for a, 1 for b.
            cost_weight: c, by how much a unit of wages is charged beyond its cost.
        """
        c = self.config
        paid = c.output[ability] - (1.0 + cost_weight) * np.array(c.tiers)
        return int(np.argmax(self.accepted(ability, self.low_probability(group)) * paid))

    def border(self, ability: int, group: int) -> float:
        """The cost weight above which the lower tier is better: c of the module's docstring.

        NaN where both outside options are met by the same tier, or one of them by none.

        Args:
            ability: its step in the list.
            group: 0 for a, 1 for b.
        """
        wages, q = np.array(self.config.tiers), self.low_probability(group)
        above = [wages[wages > option] for option in self.config.outside[ability]]
        if not all(map(len, above)) or above[0][0] == above[1][0]:
            return float("nan")
        low, high = above[0][0], above[1][0]
        return float((1.0 - q) * self.config.output[ability] / (high - q * low) - 1.0)

    def outcome(self, tiers: Floats) -> dict[str, float]:
        """Expected measures of a round if the candidate accepts what exceeds its outside option.

        Args:
            tiers: the step of the tier by ability and group, `[A, 2]`.
        """
        c = self.config
        total = dict.fromkeys(("profit", "hire_cost", "hired", "surplus", "welfare"), 0.0)
        gap = 0.0
        for k, g, o in product(range(len(c.output)), range(2), range(2)):
            share = c.share_b if g else 1.0 - c.share_b
            low = c.low_outside[g]
            weight = share * (1.0 - low if o else low) / len(c.output)
            wage, outside = c.tiers[int(tiers[k, g])], c.outside[k][o]
            if wage > outside:
                values = (c.output[k] - wage, wage, 1.0, wage - outside, c.output[k] - outside)
                for name, value in zip(total, values, strict=True):
                    total[name] += weight * value
        gap = float((np.array(tiers)[:, 0] - np.array(tiers)[:, 1]).mean())
        return total | {"tier_gap": gap}

    def benchmarks(self) -> dict[str, Benchmark]:
        """`monopsony`: the employer's best tiers for profit. `everybody_hired`: the top tier."""
        steps = range(len(self.config.output))
        best = np.array([[self.best_tier(k, g) for g in range(2)] for k in steps])
        top = np.full_like(best, len(self.config.tiers) - 1)
        source = "Robinson 1933: best offers of the only buyer; computed for these groups"
        return {
            "monopsony": Benchmark(self.outcome(best), source),
            "everybody_hired": Benchmark(
                self.outcome(top), "the top tier to all: most hires, most welfare"
            ),
        }

    # --- words ----------------------------------------------------------------------------------

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """Who was offered what, and the answer; `actions` int64 `[2, 2]`, `measures` `[3, 9]`."""
        group = "a" if measures[2, TIER_GAP] > 0 else "b"
        tier = int(actions[0, 0]) + 1
        reply = "accepts" if measures[0, HIRED] else "declines"
        return [
            f"employer_0 offers tier {tier} to a candidate of group {group}",
            f"candidate_0 {reply}",
            f"profit {figure_text(measures[0, PROFIT])}, "
            f"surplus {figure_text(measures[1, SURPLUS])}",
        ]
