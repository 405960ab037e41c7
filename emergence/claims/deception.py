"""What claims do: how often they are false, whom they move, and who gains by it.

t the truth, m the claim, v the fundamental that is expected over the rest of the round under the
frozen tables, fines included.

    false_claim_rate   P(m != t)
    claim_size         E |m - t|, in the units of t (of its position, where t is a word)
    causal_influence   how much claims move their listener (`tacit.emergence.claims.influence`)
    claim_effect       E[what a false claim does to its listener against the truth]
    belief_damage      E[ln b(t) - ln b(t|m) given m != t], b by Bayes from the sender's table
                       (nats)
    sender_gain        E[v_sender(m) - v_sender(do(m = t))]; true claims count 0
    listener_harm      E[v_listener(do(m = t)) - v_listener(m)]
    deception_index    share of claims that are false, move the listener (effect above .01), raise
                       the sender's fundamental and lower the listener's (by more than .02 of the
                       value scale: `tacit.emergence.payoffs.NEGLIGIBLE_GAIN`)

Figures are means over the seats that make the claim, and over its listeners.

Source: deception as a false signal that moves its receiver to the sender's gain and the receiver's
loss: Searcy, Nowicki, The Evolution of Animal Communication, Princeton 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from tacit.emergence.payoffs import NEGLIGIBLE_GAIN
from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Bools, Floats, Ints

from .channels import Channel
from .counterfactual import CounterfactualClaims, Listener, all_counterfactual_claims
from .influence import causal_influence, claim_effect

MOVED = 0.01  # nats of `claim_effect` above which a claim counts as moving its listener

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
LISTENER_FIGURES = ("causal_influence", "claim_effect", "listener_harm", "deception_index")


def claims(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is the claim's name.

    NaN where a round is too large to enumerate or the claim is never made, and for listeners where
    nobody decides after it.
    """
    found: dict[str, list[float]] = {}
    for channel, made in all_counterfactual_claims(population):
        if made is None or not made.claims_a_round > 0:
            own = {name.removesuffix("/"): float("nan") for name in FIGURES}
        else:
            own = channel_figures(population, made)
        for name, value in own.items():
            found.setdefault(f"{name}/{channel.claim.part}", []).append(value)
    return {name: mean_of_defined(values) for name, values in found.items()}


def mean_of_defined(values: Sequence[float]) -> float:
    """The mean of those that are not NaN; NaN if none is left."""
    defined = [value for value in values if isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def channel_figures(population: FrozenPopulation, made: CounterfactualClaims) -> dict[str, float]:
    """The figures of one seat's claim, by name without a slash."""
    weight, truth = made.weight, made.truth
    words = np.arange(weight.shape[1])
    false = words[None, :] != truth[:, None]
    figures = {
        "false_claim_rate": float(weight[false].sum()),
        "claim_size": float((weight * _distance(made.channel)[truth]).sum()),
        "belief_damage": belief_damage(weight, truth),
        "claims_exact": float(made.exact),
    }
    of_listeners = [_listener_figures(population, made, x, false) for x in made.listeners]
    means = {
        name: mean_of_defined([own[name] for own in of_listeners]) for name in LISTENER_FIGURES
    }
    gain = gain_against_truth(made, made.channel.seat.index)
    return figures | means | {"sender_gain": float((weight * gain).sum())}


def _listener_figures(
    population: FrozenPopulation, made: CounterfactualClaims, listener: Listener, false: Bools
) -> dict[str, float]:
    """`LISTENER_FIGURES` of one claim and one of its listeners; `false` bool `[G, M]`."""
    table = population.tables[listener.seat]
    effect = claim_effect(table, made, listener)
    market, sender = population.market, made.channel.seat
    gain = gain_against_truth(made, sender.index)
    loss = -gain_against_truth(made, listener.seat)
    least_gain = NEGLIGIBLE_GAIN * market.analysis.value_scale(sender.role)
    least_loss = NEGLIGIBLE_GAIN * market.analysis.value_scale(market.seats[listener.seat].role)
    lies = np.where(false, made.weight, 0.0)
    deceived = false & (effect > MOVED) & (gain > least_gain) & (loss > least_loss)
    return {
        "causal_influence": causal_influence(table, made.weight, listener),
        "claim_effect": float((lies * effect).sum() / lies.sum()) if lies.any() else float("nan"),
        "listener_harm": float((made.weight * loss).sum()),
        "deception_index": float(made.weight[deceived].sum()),
    }


def gain_against_truth(made: CounterfactualClaims, seat: int) -> Floats:
    """What a seat's fundamental gains by each word against the true one, float64 `[G, M]`."""
    value = made.expected_value[:, :, seat]
    gain: Floats = value - np.take_along_axis(value, made.truth[:, None], axis=1)
    return gain


def _distance(channel: Channel) -> Floats:
    """|m - t| by truth and word, float64 `[M, M]`; of positions, where the values are words."""
    part = next(p for p in channel.sees if p.name == channel.claim.about)
    numbers = all(isinstance(v, int | float) for v in part.values)
    at = np.array(part.values if numbers else range(len(part.values)), float)
    distance: Floats = np.abs(at[:, None] - at[None, :])
    return distance


def belief_damage(weight: Floats, truth: Ints) -> float:
    """How much less a Bayesian believes the truth after a false claim than before, in nats.

    Args:
        weight: how often each word is said in play, float64 `[G, M]`.
        truth: the true word of each row, int64 `[G]`.

    Returns:
        The mean over false claims; NaN where nothing false is said.
    """
    joint = np.zeros((weight.shape[1], weight.shape[1]))  # p(t, m)
    np.add.at(joint, truth, weight)
    false = joint * (1 - np.eye(len(joint)))
    if not false.sum() > 0:
        return float("nan")
    prior = joint.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # words that are never said
        loss = np.log(prior) - np.log(joint / joint.sum(axis=0, keepdims=True))
    return float(false[false > 0] @ loss[false > 0] / false.sum())
