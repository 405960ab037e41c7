"""Delivery slots: shippers ask carriers for early slots, and each carrier has but one.

Rules. Every round each shipper has a shipment, urgent or calm, which only it knows; each is urgent
with probability `urgent_probability`, independently. It asks one carrier for the early slot: it
offers a price from a list and says whether its shipment is urgent. Then each carrier, who sees
what was offered and said to it, gives its early slot to one of the shippers. That one pays its
offer; all others go by late slots, which are worth 0 to everybody and cost nothing.

| who | phase | observation | action |
|---|---|---|---|
| shipper | request | own need: calm or urgent | carrier (if there are several), offer, claim |
| carrier | assign | offer and claim of each that asks it | the shipper that gets the slot |

Payoffs: carrier the offer that it takes; shipper, in an early slot, the value of its need less its
offer, else 0; less `false_claim_fine` for any claim that is not true, paid to nobody. A carrier
that gives its slot to a shipper that asked another one leaves it empty. With `claims_heard: false`
carriers see every claim as "calm".

What follows, with one carrier (`DeliverySlots.sorts`, `DeliverySlots.lie_pays`). A carrier paid for
revenue takes the highest offer; where the list has an offer below the calm value and one between
both values, urgent shippers offer more than calm ones and go first, and claims say nothing. A
carrier paid for slots given to shippers that *say* urgent looks at claims alone: nobody offers more
than the least, and a calm shipper lies if the fine is below half of what it has of an early slot,
with two shippers. Then all say the same, and the slot goes by lot.

Source: auctions and priority: Vickrey, Journal of Finance 16(1), 1961 (first price); claims that
cost a fine: Kartik, Review of Economic Studies 76(4), 2009. This game is derived here.

Version history: v0, first release.

The kernels work on `params` float64 `[9 + F]` and `state` float64 `[4 N]`, whose positions have
names; F offers, C carriers, N shippers, S = C + N seats, the carriers first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.analysis import Analysis, Draw
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Benchmark, Block, Claim, Lot, Market, Measure, Part, Role, Seat
from tacit.envs.market.figures import figure_text
from tacit.envs.rng import u
from tacit.envs.types import Floats, Ints, NonNegative, Share

# --- config ---------------------------------------------------------------------------------------


class DeliverySlotsConfig(BaseModel):
    """Keys of the market."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    carriers: Annotated[int, Field(ge=1, le=2)] = Field(1, description="each has one early slot")
    shippers: Annotated[int, Field(ge=2, le=4)] = Field(2, description="each has one shipment")
    offers: Annotated[tuple[NonNegative, ...], Field(min_length=1, max_length=5)] = Field(
        (0.1, 0.5), description="what can be offered for an early slot, ascending"
    )
    urgent_value: NonNegative = Field(1.0, description="of an early slot to an urgent shipment")
    calm_value: NonNegative = Field(0.4, description="of an early slot to a calm shipment")
    urgent_probability: Share = Field(0.5, description="probability that a shipment is urgent")
    false_claim_fine: NonNegative = Field(0.0, description="for any claim that is not true")
    claims_heard: bool = Field(True, description="false: carriers hear no claim (a control)")

    @model_validator(mode="after")
    def _ascends(self) -> DeliverySlotsConfig:
        """Offers and values ascend."""
        if any(high <= low for low, high in zip(self.offers, self.offers[1:], strict=False)):
            raise ValueError(f"offers: must ascend, got {list(self.offers)}")
        if self.calm_value > self.urgent_value:
            raise ValueError(
                f"calm_value: must not exceed urgent_value ({self.urgent_value}), "
                f"got {self.calm_value}"
            )
        return self


# --- measures -------------------------------------------------------------------------------------

CARRIER, SHIPPER, BOTH = ("carrier",), ("shipper",), ("carrier", "shipper")
MEASURES = (
    Measure("revenue", CARRIER, "money", +1, "the offer that it takes", in_harm=True),
    Measure("urgent_served", CARRIER, "slot", +1, "1 if its slot goes to one that says urgent"),
    Measure(
        "surplus", SHIPPER, "money", +1, "value of an early slot less offer, less fine",
        in_harm=True,
    ),
    Measure("early", SHIPPER, "slot", +1, "1 if it gets an early slot"),
    Measure("offer", SHIPPER, "money", 0, "what it offers"),
    Measure("false_urgent", SHIPPER, "claim", -1, "1 if it is calm and says urgent"),
    Measure("false_calm", SHIPPER, "claim", -1, "1 if it is urgent and says calm"),
    Measure("urgent_late", SHIPPER, "slot", -1, "1 if it is urgent and gets no early slot"),
    Measure(
        "misplaced", ("market",), "slot", -1,
        "early slots of calm shipments for which an urgent one waits",
    ),
    Measure("fines", ("market",), "money", -1, "paid by all"),
    Measure("welfare", ("market",), "money", +1, "revenue and surplus of all", in_harm=True),
)  # fmt: skip
(
    REVENUE, URGENT_SERVED, SURPLUS, EARLY, OFFER, FALSE_URGENT, FALSE_CALM, URGENT_LATE,
    MISPLACED, FINES, WELFARE,
) = range(len(MEASURES))  # their columns  # fmt: skip

# --- positions of params and state, slots of draws ------------------------------------------------

# Positions in `params`, float64 [9 + F].
CARRIERS = 0  # C
SHIPPERS = 1  # N
OFFERS = 2  # F, number of offers
CALM_VALUE = 3  # of an early slot
URGENT_VALUE = 4  # the same of an urgent shipment
URGENT_PROBABILITY = 5
FINE = 6  # for a claim that is not true
HEARD = 7  # 1: carriers hear claims
PRICES = 8  # F amounts of offers

# Positions in `state`, float64 [4 N], counted from 4 i for shipper i.
NEED = 0  # 1: urgent; drawn for the round to come
ASKED = 1  # the carrier that it asked last
STEP = 2  # of its last offer in the list
CLAIM = 3  # 1: it said urgent
WIDTH = 4

# Slots of draws: shipper i's need is drawn with slot i.

# --- kernels: the rules, as compiled functions of one copy ----------------------------------------


@kernel
def draw_needs(params: Any, state: Any, key: Any) -> None:
    """The shipments of the coming round: `params` `[.]`, `state` `[4 N]`."""
    for i in range(int(params[SHIPPERS])):
        state[i * WIDTH + NEED] = 1.0 if u(key, i) < params[URGENT_PROBABILITY] else 0.0


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: shipments are there, nothing has been asked; `state` `[4 N]`."""
    state[:] = 0.0
    draw_needs(params, state, key)


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what a seat sees in the coming phase, from `state` `[4 N]`.

    A carrier has one observation for its waiting, then one for each combination of what every
    shipper offers and claims; with several carriers, the first offer is "none". A shipper has one
    for each need, then one for its waiting.
    """
    carriers, n_offers = int(params[CARRIERS]), int(params[OFFERS])
    if seat >= carriers:
        return int(state[(seat - carriers) * WIDTH + NEED]) if phase == 0 else 2
    if phase == 0:
        return 0
    several = 1 if carriers > 1 else 0
    index = 0
    for i in range(int(params[SHIPPERS])):
        first = i * WIDTH
        shown, claim = 0, 0
        if int(state[first + ASKED]) == seat:
            shown = several + int(state[first + STEP])
            claim = int(state[first + CLAIM]) * int(params[HEARD])
        index = (index * (n_offers + several) + shown) * 2 + claim
    return 1 + index


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Phase 0: requests. Phase 1: early slots are given, then the next shipments come.

    `state` float64 `[4 N]`, `actions` int64 `[S]`, `measures` float64 `[S + 1, 11]`; rows are the
    carriers, the shippers, the market.
    """
    carriers, shippers, n_offers = int(params[CARRIERS]), int(params[SHIPPERS]), int(params[OFFERS])
    if phase == 0:
        for i in range(shippers):
            action = actions[carriers + i]
            state[i * WIDTH + CLAIM] = action % 2
            state[i * WIDTH + STEP] = action // 2 % n_offers
            state[i * WIDTH + ASKED] = action // 2 // n_offers
        return
    whole = carriers + shippers
    for c in range(carriers):
        i = actions[c]
        first, row = i * WIDTH, carriers + i
        if int(state[first + ASKED]) == c:
            price = params[PRICES + int(state[first + STEP])]
            measures[c, REVENUE] = price
            measures[c, URGENT_SERVED] = state[first + CLAIM]
            measures[row, EARLY] = 1.0
            measures[row, SURPLUS] = params[CALM_VALUE + int(state[first + NEED])] - price
    calm_early, urgent_late = 0.0, 0.0
    for i in range(shippers):
        first, row = i * WIDTH, carriers + i
        need, claim, early = state[first + NEED], state[first + CLAIM], measures[row, EARLY]
        measures[row, OFFER] = params[PRICES + int(state[first + STEP])]
        if claim != need:
            measures[row, FALSE_URGENT if claim == 1.0 else FALSE_CALM] = 1.0
            measures[row, SURPLUS] -= params[FINE]
            measures[whole, FINES] += params[FINE]
        measures[row, URGENT_LATE] = need * (1.0 - early)
        calm_early += (1.0 - need) * early
        urgent_late += need * (1.0 - early)
    measures[whole, MISPLACED] = min(calm_early, urgent_late)
    for seat in range(whole):
        measures[whole, WELFARE] += measures[seat, REVENUE] + measures[seat, SURPLUS]
    # The first phase of the next round already shows the needs: they are drawn at a round's end.
    draw_needs(params, state, key)


# --- analysis -------------------------------------------------------------------------------------

NEEDS = ("calm", "urgent")


class DeliverySlotsAnalysis(Analysis):
    """What probes and scripted players ask of the market."""

    market: DeliverySlots

    unheard: ClassVar[Mapping[str, Any]] = {"claims_heard": False}

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """Shippers that are `truthful` or `always_bluff`, a `trusting` carrier.

        A `truthful` shipper offers the most that is below its value and says what is so; one of
        `always_bluff` offers the least and says urgent; both ask any carrier. A `trusting` carrier
        serves those that say urgent before others, and among equals the highest offer.
        """
        c, seen = self.market.config, seat.role.decode_observation(observation)
        if seat.role.name == "shipper" and rule in ("truthful", "always_bluff"):
            step, claim = 0, 1
            if rule == "truthful":
                claim = NEEDS.index(seen["need"])
                value = (c.calm_value, c.urgent_value)[claim]
                step = max((k for k, offer in enumerate(c.offers) if offer < value), default=0)
            return tuple(
                (carrier * len(c.offers) + step) * 2 + claim for carrier in range(c.carriers)
            )
        if seat.role.name == "carrier" and rule == "trusting":
            asks = [
                (seen[f"offer_{i}"] != NONE, NEEDS.index(seen[f"claim_{i}"]), seen[f"offer_{i}"])
                for i in range(c.shippers)
            ]
            ranks = [(here, claim, offer if here else 0.0) for here, claim, offer in asks]
            return tuple(i for i, rank in enumerate(ranks) if rank == max(ranks))
        return ()

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """The need of every shipper, before the first phase."""
        c = self.market.config
        chances = ((1.0 - c.urgent_probability, c.urgent_probability),)
        return (
            ()
            if phase
            else tuple(Draw(i * WIDTH + NEED, (0.0, 1.0), chances) for i in range(c.shippers))
        )

    @property
    def luck(self) -> bool:
        """No draw within `play` matters for the round that it ends."""
        return False

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Of the own need."""
        urgent = self.market.config.urgent_probability
        return (1.0 - urgent, urgent) if part == "need" else None

    def value_scale(self, role: Role) -> float:
        """The value of an early slot to an urgent shipment."""
        return self.market.config.urgent_value


# --- the market -----------------------------------------------------------------------------------

NONE = "none"  # what a carrier sees of a shipper that asks another one


class DeliverySlots(Market):
    """See the module's docstring."""

    analysis_class = DeliverySlotsAnalysis
    name = "delivery_slots"
    version = 0
    title = "shippers offer money and claims for the early slots of carriers"
    kernels = __name__
    model = DeliverySlotsConfig
    measures = MEASURES
    headline = "misplaced"
    beside_headline: ClassVar[Mapping[str, str]] = {"revenue": "revenue"}
    welfare = "welfare"
    config: DeliverySlotsConfig

    def declare(self) -> None:
        """Carriers first, then shippers; shippers ask in phase 0, carriers give in phase 1."""
        c = self.config
        shippers = tuple(f"shipper_{i}" for i in range(c.shippers))
        need = Part("need", NEEDS, "of the own shipment")
        asked = Part("carrier", tuple(f"carrier_{k}" for k in range(c.carriers)), "who is asked")
        offer = Part("offer", c.offers, "for an early slot")
        claim = Part("claim", NEEDS, "what the shipment is said to be")
        slot = Part("slot", shippers, "who gets the early slot")
        shown = c.offers if c.carriers == 1 else (NONE, *c.offers)
        seen = tuple(
            part
            for who in shippers
            for part in (
                Part(f"offer_{who[-1]}", shown, f"what {who} offers"),
                Part(f"claim_{who[-1]}", NEEDS, f"what {who} says of its shipment"),
            )
        )
        request = (offer, claim) if c.carriers == 1 else (asked, offer, claim)
        self.phases = ("request", "assign")
        gives = (Block(0), Block(1, sees=seen, does=(slot,)))
        asks = (Block(0, sees=(need,), does=request), Block(1))
        self.roles = (
            Role("carrier", c.carriers, fundamental="revenue", default_kpi="revenue", blocks=gives),
            Role("shipper", c.shippers, fundamental="surplus", default_kpi="surplus", blocks=asks),
        )
        self.claims = (Claim("shipper", "claim", "need", "false_urgent", "false_calm"),)
        self.params = np.array(
            [
                c.carriers, c.shippers, len(c.offers), c.calm_value, c.urgent_value,
                c.urgent_probability, c.false_claim_fine, c.claims_heard, *c.offers,
            ],
            np.float64,
        )  # fmt: skip
        self.state_width = WIDTH * c.shippers

    @property
    def play_lots(self) -> tuple[Lot, ...]:
        """The next needs, as a round ends."""
        return Lot.chances(range(self.config.shippers), self.config.urgent_probability)

    # --- closed forms -----------------------------------------------------------------------------

    @property
    def first_chance(self) -> float:
        """The chance to be served, of a shipper in a class that goes first.

        The class are urgent shippers; ties are broken by lot, and there is one carrier: the mean of
        1 / (1 + k) over k urgent rivals, (1 - (1 - p)^N) / (N p).
        """
        p, n = self.config.urgent_probability, self.config.shippers
        return (1.0 - (1.0 - p) ** n) / (n * p) if p else 1.0

    @property
    def second_chance(self) -> float:
        """The chance to be served, of one that goes last beside calm rivals: (1 - p)^(N-1) / N."""
        p, n = self.config.urgent_probability, self.config.shippers
        return (1.0 - p) ** (n - 1) / n

    def sorts(self) -> bool:
        """Whether the least and the highest offer sort calm and urgent shippers in equilibrium.

        One carrier, paid for revenue, equal offers by lot: neither kind gains by the other's offer.
        Offers in between go before the least one and after the highest; they are tried as well.
        """
        c = self.config
        low, high, calm_rivals = c.offers[0], c.offers[-1], self.second_chance * c.shippers
        chances = [self.second_chance, *[calm_rivals] * (len(c.offers) - 2), self.first_chance]
        for value, own in ((c.calm_value, 0), (c.urgent_value, len(c.offers) - 1)):
            gains = [
                (value - offer) * chance for offer, chance in zip(c.offers, chances, strict=True)
            ]
            if max(gains) > gains[own] + 1e-12:
                return False
        return low < high

    def lie_pays(self) -> bool:
        """Whether calm shippers say urgent where one carrier looks at claims alone.

        If all others do, the chance to be served is 1 / N with the lie, and 0 without: it pays if
        the fine is below (calm value - least offer) / N. With two shippers the gain is the same
        whatever the other says: 1 / 2.
        """
        c = self.config
        return c.false_claim_fine < (c.calm_value - c.offers[0]) / c.shippers

    def rounds(self) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Every combination of needs, 1 for urgent, with its probability."""
        p = self.config.urgent_probability
        for needs in product((0, 1), repeat=self.config.shippers):
            yield p ** sum(needs) * (1.0 - p) ** (len(needs) - sum(needs)), needs

    def benchmarks(self) -> dict[str, Benchmark]:
        """`efficient`: urgent shipments first. `by_lot`: as many shipments, drawn; all are true.

        Values are means of a round in which every early slot is taken and nobody is fined.
        """
        c, values = self.config, (self.config.calm_value, self.config.urgent_value)
        welfare, misplaced = {"efficient": 0.0, "by_lot": 0.0}, {"efficient": 0.0, "by_lot": 0.0}
        slots = min(c.carriers, c.shippers)
        for chance, needs in self.rounds():
            welfare["efficient"] += chance * sum(sorted(values[n] for n in needs)[-slots:])
            every = list(combinations(range(c.shippers), slots))
            for early in every:
                calm = sum(1 - needs[i] for i in early)
                late = sum(needs) - sum(needs[i] for i in early)
                share = chance / len(every)
                welfare["by_lot"] += share * sum(values[needs[i]] for i in early)
                misplaced["by_lot"] += share * min(calm, late)
        source = {
            "efficient": "the most welfare that any allocation gives, enumerated",
            "by_lot": "every allocation equally likely, enumerated",
        }
        return {
            name: Benchmark({"welfare": welfare[name], "misplaced": misplaced[name]}, source[name])
            for name in source
        }

    # --- words ----------------------------------------------------------------------------------

    def transcript(self, actions: Ints, measures: Floats) -> list[str]:
        """Who asked, and who got a slot; `actions` int64 `[2, S]`, `measures` `[S + 1, 11]`."""
        lines = []
        for seat in self.seats[self.config.carriers :]:
            done = seat.role.decode_action(int(actions[0, seat.index]))
            false = measures[seat.index, FALSE_URGENT] or measures[seat.index, FALSE_CALM]
            whom = f" {done['carrier']}" if "carrier" in done else ""
            lines.append(
                f"{seat.name} offers{whom} {figure_text(done['offer'])} and says {done['claim']}"
                + (" (false)" if false else "")
            )
        for seat in self.seats[: self.config.carriers]:
            chosen = self.config.carriers + int(actions[1, seat.index])
            # A slot stays empty where it is given to a shipper that asked another carrier.
            taken = self._asked(int(actions[0, chosen])) == seat.index
            got = f"gives its early slot to {self.seats[chosen].name}" if taken else "serves nobody"
            lines.append(f"{seat.name} {got}")
        return lines

    def _asked(self, action: int) -> int:
        """The index of the carrier that a request goes to."""
        return action // 2 // len(self.config.offers)
