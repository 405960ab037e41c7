"""Signalling: how much of what a seat privately knows is in what it says.

With truth t, message m, and the whole action a of which m is one part (an offer: price, claim):

    signalling              I(t; m) / H(t)
    signalling_offer        I(t; a) / H(t)
    signalling_beside       I(t; m | rest of a) / H(t) = [I(t; a) - I(t; rest of a)] / H(t)

I(x; y) = sum p(x, y) ln[p(x, y) / (p(x) p(y))] and H(t) = -sum p(t) ln p(t). Shares of H(t): 0, the
message says nothing; 1, it says all. Where the price tells already, `signalling_beside` is small:
the claim is babble on top of it. NaN where t is no news (H(t) = 0).

p(t, a) = sum over observations o with truth t of p(o) table[o, a], with the sender's own table.
p(o) is exact where all that the block shows is drawn independently with chances that the market
states (`Analysis.chances`); else it is counted over play (`tacit.emergence.play.visits`). Claims
need no
common language for this: a code in which every word means another tells as much as the truth.

Source: mutual information, Shannon 1948; as "positive signalling" of agents that learn: Lowe,
Foerster, Boureau, Pineau, Dauphin, "On the pitfalls of measuring emergent communication", AAMAS
2019; normalised by H(t): Condorelli, Furlan, "Cheap talking algorithms", 2023.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.play.visits import visits
from tacit.emergence.population import Figures, FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import (
    Claim,
    Market,
    Part,
    Seat,
)

Array = NDArray[np.float64]
Digits = NDArray[np.int64]


@dataclass(frozen=True)
class Channel:
    """One seat's claim, in the block of its table where it makes it.

    `first` and `size`: the block's observations; `act` and `acts`: its actions. `truth` int64
    `[size]`: what is so, `said` and `rest` int64 `[acts]`: the claim and all other parts of the
    action, as digits.
    """

    claim: Claim
    seat: Seat
    phase: int
    sees: tuple[Part, ...]
    first: int
    size: int
    act: int
    acts: int
    truth: Digits
    said: Digits
    rest: Digits


def channels(market: Market) -> list[Channel]:
    """Every claim of every seat that makes it where it sees what it is about."""
    found = []
    for claim in market.claims:
        for seat in (s for s in market.seats if s.role.name == claim.role):
            for k, block in enumerate(seat.role.blocks):
                names = [p.name for p in block.sees], [p.name for p in block.does]
                if claim.about in names[0] and claim.part in names[1]:
                    found.append(_channel(claim, seat, k))
    return found


def _channel(claim: Claim, seat: Seat, k: int) -> Channel:
    block, first = seat.role.blocks[k], seat.role.block_start(k)
    act, acts = (int(x) for x in seat.role.legal[first])
    seen = np.unravel_index(np.arange(block.size), [len(p.values) for p in block.sees])
    does = np.unravel_index(np.arange(acts), [len(p.values) for p in block.does])
    about = [p.name for p in block.sees].index(claim.about)
    part = [p.name for p in block.does].index(claim.part)
    rest = np.zeros(acts, np.int64)
    for digit, other in zip(does, block.does, strict=True):
        rest = rest if other.name == claim.part else rest * len(other.values) + digit
    return Channel(claim, seat, block.phase, block.sees, first, block.size, act, acts,
                   seen[about].astype(np.int64), does[part].astype(np.int64), rest)  # fmt: skip


def law(population: FrozenPopulation, channel: Channel) -> tuple[Array, bool]:
    """How often the seat meets each observation of the block, `[size]`, and whether it is exact."""
    market = population.market
    chances = [market.analysis.chances(channel.seat, part.name) for part in channel.sees]
    if all(c is not None for c in chances):
        exact = np.ones(1)
        for c in chances:
            exact = np.outer(exact, np.array(c, float)).ravel()
        return exact, True
    met = visits(population)[channel.seat.index][channel.first : channel.first + channel.size]
    return met / max(met.sum(), 1e-300), False


def joint(population: FrozenPopulation, channel: Channel) -> Array:
    """p(truth, action), `[truths, acts]`."""
    weight, _ = law(population, channel)
    rows = slice(channel.first, channel.first + channel.size)
    table = population.tables[channel.seat.index][rows, channel.act : channel.act + channel.acts]
    found = np.zeros((channel.truth.max() + 1, channel.acts))
    np.add.at(found, channel.truth, weight[:, None] * table)
    return found


def merged(p: Array, digits: Digits) -> Array:
    """p(truth, action) as p(truth, digit of the action)."""
    found = np.zeros((len(p), int(digits.max()) + 1))
    np.add.at(found.T, digits, p.T)
    return found


def information(p: Array) -> float:
    """I(x; y) in nats from p(x, y)."""
    return entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p.ravel())


def entropy(p: Array) -> float:
    """H in nats; 0 ln 0 = 0."""
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())


def probe(population: FrozenPopulation) -> Figures:
    """Three figures per claim, means over the seats that make it."""
    found: dict[str, list[float]] = {}
    for channel in channels(population.market):
        p = joint(population, channel)
        whole, truth = information(p), entropy(p.sum(axis=1))
        rest = information(merged(p, channel.rest))
        told = {"signalling": information(merged(p, channel.said)), "signalling_offer": whole,
                "signalling_beside": whole - rest}  # fmt: skip
        for name, nats in told.items():
            share = max(0.0, nats) / truth if truth > 1e-12 else float("nan")
            found.setdefault(f"{name}/{channel.claim.part}", []).append(share)
    return {name: float(np.mean(shares)) for name, shares in found.items()}


def applies(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Only where something is claimed that the seat sees to be so or not."""
    if channels(market):
        return no_analysis(market, "chances, draws")
    return (
        f"nobody claims anything in {market.name} here; `procurement` and `cheap_talk` have claims"
    )


FIGURES = {
    "signalling/": "share of what a seat knows that its message tells, I(t; m) / H(t)",
    "signalling_offer/": "the same of its whole action",
    "signalling_beside/": "the same of the message, given the rest of the action",
}
