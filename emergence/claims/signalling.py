"""Signalling: how much of what a seat privately knows is in what it says.

With truth t, message m, and the whole action a of which m is one part (an offer: price, claim):

    signalling              I(t; m) / H(t)
    signalling_offer        I(t; a) / H(t)
    signalling_beside       I(t; m | rest of a) / H(t) = [I(t; a) - I(t; rest of a)] / H(t)

I(x; y) = sum p(x, y) ln[p(x, y) / (p(x) p(y))] and H(t) = -sum p(t) ln p(t). Shares of H(t): 0, the
message carries no information about t; 1, it determines t. Where the price already reveals t,
`signalling_beside` is small: the claim adds nothing to it. NaN where t is constant (H(t) = 0).

p(t, a) = sum over observations o with truth t of p(o) table[o, a], with the sender's own table.
p(o) is exact where every part of the observation is drawn independently with probabilities that the
market states (`Analysis.part_probabilities`); else it is counted over play
(`tacit.emergence.play.visits`). No common language is needed: a code in which every word means
another one carries as much information as the truth.

Source: mutual information, Shannon 1948; as "positive signalling" of agents that learn: Lowe,
Foerster, Boureau, Pineau, Dauphin, "On the pitfalls of measuring emergent communication", AAMAS
2019; normalised by H(t): Condorelli, Furlan, "Cheap talking algorithms", 2023.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.information import entropy, mutual_information
from tacit.emergence.play.visits import visits
from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Floats, Ints

from .channels import Channel, channels

FIGURES = {
    "signalling/": "share of what a seat knows that its message tells, I(t; m) / H(t)",
    "signalling_offer/": "the same of its whole action",
    "signalling_beside/": "the same of the message, given the rest of the action",
}


def signalling(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is the claim's name.

    Means over the seats that make the claim.
    """
    found: dict[str, list[float]] = {}
    for channel in channels(population.market):
        p = truth_and_action(population, channel)
        whole, truth = mutual_information(p), entropy(p.sum(axis=1))
        rest = mutual_information(merge_actions(p, channel.rest))
        information = {
            "signalling": mutual_information(merge_actions(p, channel.said)),
            "signalling_offer": whole,
            "signalling_beside": whole - rest,
        }
        for name, nats in information.items():
            # Rounding may leave a mutual information of 0 slightly negative.
            share = max(0.0, nats) / truth if truth > 1e-12 else float("nan")
            found.setdefault(f"{name}/{channel.claim.part}", []).append(share)
    return {name: float(np.mean(shares)) for name, shares in found.items()}


def observation_frequency(population: FrozenPopulation, channel: Channel) -> tuple[Floats, bool]:
    """How often the seat meets each observation of the block, given that it meets one of them.

    Returns:
        Shares float64 `[size]`, and whether they are exact.
    """
    market = population.market
    drawn = [market.analysis.part_probabilities(channel.seat, p.name) for p in channel.sees]
    if all(probabilities is not None for probabilities in drawn):
        exact = np.ones(1)
        for probabilities in drawn:
            exact = np.outer(exact, np.array(probabilities, float)).ravel()
        return exact, True
    counted = visits(population)[channel.seat.index]
    counted = counted[channel.first : channel.first + channel.size]
    # A block that was never met has no shares: zeros, instead of a division by 0.
    return counted / max(counted.sum(), 1e-300), False


def truth_and_action(population: FrozenPopulation, channel: Channel) -> Floats:
    """p(truth, action) in the block, float64 `[truths, acts]`."""
    weight, _ = observation_frequency(population, channel)
    rows = slice(channel.first, channel.first + channel.size)
    table = population.tables[channel.seat.index][rows, channel.act : channel.act + channel.acts]
    found = np.zeros((channel.truth.max() + 1, channel.acts))
    np.add.at(found, channel.truth, weight[:, None] * table)
    return found


def merge_actions(p: Floats, digits: Ints) -> Floats:
    """p(truth, action) `[truths, acts]` as p(truth, digit of the action) `[truths, digits]`.

    `digits` int64 `[acts]`: one part of each action, such as `Channel.said`.
    """
    found = np.zeros((len(p), int(digits.max()) + 1))
    np.add.at(found.T, digits, p.T)
    return found
