"""What claims do: how often they are false, whom they move, and who gains by it.

t the truth, m the claim, x all else that the listener observes (the price!), a what it does.

    false_claim_rate   P(m != t)
    claim_size         E |m - t|, in the units of t (of its position, where t is a word)
    causal_influence   E_x sum_m p(m|x) sum_a p(a|do(m),x) ln[p(a|do(m),x) / p(a|x)],
                       p(a|x) = sum_m p(m|x) p(a|do(m),x)                                   (nats)
    claim_effect       E[KL(p(a|do(m),x) || half p(a|do(m),x) + half p(a|do(t),x)) given m != t]:
                       what a false claim does to its listener against the truth at the same
                       price (0 .. ln 2 nats)
    belief_damage      E[ln b(t) - ln b(t|m) given m != t], b by Bayes from the sender's table
                       (nats)
    sender_gain        E[v_sender(m) - v_sender(do(m = t))], fundamentals; true claims count 0
    listener_harm      E[v_listener(do(m = t)) - v_listener(m)]
    deception_index    share of claims that are false, move the listener (effect above .01), raise
                       the sender's fundamental and lower the listener's (by more than .02 of the
                       value scale: what is less is no gain, as in
                       `tacit.emergence.objective.regret`)

p(a|x) sums over claims with their chances: an average over words would score a deaf listener above
0 as soon as words are used unevenly. So a deaf listener scores 0. A sender that always says the
same has no causal influence, whatever its listener would do: there, `claim_effect` tells a deaf
listener from a trusting one. v is expected over the rest of the round under the frozen tables, with
fines. Figures are means over the seats that make the claim, and over its listeners.

Sources: causal influence, Lowe, Foerster, Boureau, Pineau, Dauphin, "On the pitfalls of measuring
emergent communication", AAMAS 2019, and Jaques et al., "Social influence as intrinsic motivation",
ICML 2019; deception as a false signal that moves its receiver to the sender's gain and the
receiver's loss: Searcy, Nowicki, The Evolution of Animal Communication, Princeton 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import PolicyTable
from tacit.emergence.objective.regret import PASSES
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.tree import Array
from tacit.envs.errors import ConfigError

from .counterfactual import CounterfactualClaims, Listener, counterfactual_claims
from .signalling import Channel, channels

MOVED = 0.01  # nats of `claim_effect` from which on a claim is said to move its listener

FIGURES = {
    "false_claim_rate/": "share of claims that are not so",
    "claim_size/": "mean |claim - truth|, in the claim's units",
    "causal_influence/": "how much claims move their listeners, nats; deaf: 0",
    "claim_effect/": "how much false claims move listeners against the truth, 0 .. .693 nats",
    "belief_damage/": "how much less a false claim lets a Bayesian believe the truth, nats",
    "sender_gain/": "the sender's fundamental, by what it said against the truth at the same price",
    "listener_harm/": "the listener's loss of its fundamental by that",
    "deception_index/": "share of claims that deceive",
    "claims_exact/": "1 if the figures are exact, 0 if sampled",
}


def claims(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is the claim's name."""
    found: dict[str, list[float]] = {}
    for channel in channels(population.market):
        try:
            own = of_channel(population, counterfactual_claims(population, channel))
        except ConfigError:  # too many ways to go through
            own = {name.removesuffix("/"): float("nan") for name in FIGURES}
        for name, value in own.items():
            found.setdefault(f"{name}/{channel.claim.part}", []).append(value)
    return {name: _mean(values) for name, values in found.items()}


def _mean(values: Sequence[float]) -> float:
    """Over those that are defined."""
    defined = [value for value in values if isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def of_channel(population: FrozenPopulation, said: CounterfactualClaims) -> dict[str, float]:
    """The figures of one seat's claim."""
    weight, truth = said.weight, said.truth
    words = np.arange(weight.shape[1])
    false = words[None, :] != truth[:, None]
    figures = {
        "false_claim_rate": float(weight[false].sum()),
        "claim_size": float((weight * _distance(said.channel)[truth]).sum()),
        "belief_damage": belief_damage(weight, truth),
        "claims_exact": float(said.exact),
    }
    heard = [_heard(population, said, x, false) for x in said.listeners]
    names = ("causal_influence", "claim_effect", "listener_harm", "deception_index")
    means = {name: _mean([own[name] for own in heard]) for name in names}
    gain = _against_truth(said, said.channel.seat.index)
    return figures | means | {"sender_gain": float((weight * gain).sum())}


def _distance(channel: Channel) -> Array:
    """|m - t| by truth and word."""
    part = next(p for p in channel.sees if p.name == channel.claim.about)
    numbers = all(isinstance(v, int | float) for v in part.values)
    at = np.array(part.values if numbers else range(len(part.values)), float)
    distance: Array = np.abs(at[:, None] - at[None, :])
    return distance


def belief_damage(weight: Array, truth: NDArray[np.int64]) -> float:
    """NaN where nothing false is said."""
    joint = np.zeros((weight.shape[1], weight.shape[1]))
    np.add.at(joint, truth, weight)
    false = joint * (1 - np.eye(len(joint)))
    if not false.sum() > 0:
        return float("nan")
    prior = joint.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = np.log(prior) - np.log(joint / joint.sum(axis=0, keepdims=True))
    return float(false[false > 0] @ loss[false > 0] / false.sum())


def _against_truth(said: CounterfactualClaims, seat: int) -> Array:
    """What a seat's fundamental gains by each word against the true one, float64 `[G, M]`."""
    value = said.worth[:, :, seat]
    gain: Array = value - np.take_along_axis(value, said.truth[:, None], axis=1)
    return gain


def _heard(
    population: FrozenPopulation,
    said: CounterfactualClaims,
    listener: Listener,
    false: NDArray[np.bool_],
) -> dict[str, float]:
    """Figures of one claim and one of its listeners."""
    table = population.tables[listener.seat]
    effect = claim_effect(table, said, listener)
    market, sender = population.market, said.channel.seat
    gain = _against_truth(said, sender.index)
    loss = -_against_truth(said, listener.seat)
    gained = PASSES * market.analysis.value_scale(sender.role)
    lost = PASSES * market.analysis.value_scale(market.seats[listener.seat].role)
    lies = np.where(false, said.weight, 0.0)
    deceived = false & (effect > MOVED) & (gain > gained) & (loss > lost)
    return {
        "causal_influence": causal_influence(table, said.weight, listener),
        "claim_effect": float((lies * effect).sum() / lies.sum()) if lies.any() else float("nan"),
        "listener_harm": float((said.weight * loss).sum()),
        "deception_index": float(said.weight[deceived].sum()),
    }


def claim_effect(table: PolicyTable, said: CounterfactualClaims, listener: Listener) -> Array:
    """By act and word, float64 `[G, M]`."""
    does = table[listener.sees]  # [G, M, K, A]
    would = np.take_along_axis(does, said.truth[:, None, None, None], axis=1)
    effect: Array = (listener.chance * divergence(does, (does + would) / 2)).sum(axis=2)
    return effect


def causal_influence(table: PolicyTable, weight: Array, listener: Listener) -> float:
    """Over all that the listener observes beside the word; NaN if it is never asked."""
    words = weight.shape[1]
    sees = listener.sees.transpose(0, 2, 1).reshape(-1, words)  # one row for each x, repeated
    share = (weight[:, :, None] * listener.chance).transpose(0, 2, 1).reshape(-1, words)
    beside, index = np.unique(sees, axis=0, return_inverse=True)
    joint = np.zeros(beside.shape)
    np.add.at(joint, index.ravel(), share)
    x = joint.sum(axis=1)
    if not x.sum() > 0:
        return float("nan")
    does = table[beside]  # [X, M, A]
    given = np.divide(joint, x[:, None], out=np.zeros_like(joint), where=x[:, None] > 0)
    mean = np.einsum("xm,xma->xa", given, does)
    return float((joint * divergence(does, mean[:, None])).sum() / x.sum())


def divergence(p: Array, q: Array) -> Array:
    """KL(p || q) over the last axis, where q is not 0 unless p is (or its weight is 0)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where((p > 0) & (q > 0), p * np.log(p / q), 0.0)
    total: Array = terms.sum(axis=-1)
    return total
