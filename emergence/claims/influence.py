"""How much claims move their listeners, in nats.

t the truth, m the claim, x everything else that the listener observes (the price above all), a what
it does.

    causal_influence   E_x sum_m p(m|x) sum_a p(a|do(m),x) ln[p(a|do(m),x) / p(a|x)],
                       p(a|x) = sum_m p(m|x) p(a|do(m),x)
    claim_effect       KL(p(a|do(m),x) || half p(a|do(m),x) + half p(a|do(t),x)): what a word does
                       to its listener against the truth at the same price (0 .. ln 2)

p(a|x) weighs words by how often they are used. An average over words would score a deaf listener
above 0 as soon as words are used unevenly; with the weights it scores 0. A sender that always says
the same has no causal influence, whatever its listener would do at another word; there,
`claim_effect` tells a deaf listener from a trusting one.

Source: Lowe, Foerster, Boureau, Pineau, Dauphin, "On the pitfalls of measuring emergent
communication", AAMAS 2019; Jaques et al., "Social influence as intrinsic motivation", ICML 2019.
"""

from __future__ import annotations

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.envs.types import Floats

from .counterfactual import CounterfactualClaims, Listener


def causal_influence(table: PolicyTable, weight: Floats, listener: Listener) -> float:
    """Causal influence over everything that the listener observes beside the word.

    Args:
        table: the listener's policy table, float64 `[O, A]`.
        weight: how often each word is said in play, float64 `[G, M]`.
        listener: what it observes after each word.

    Returns:
        Nats; NaN if the listener never has a choice.
    """
    words = weight.shape[1]
    # One row for each x that a row of words leads to, the same x repeated.
    observations = listener.observations.transpose(0, 2, 1).reshape(-1, words)
    share = (weight[:, :, None] * listener.probability).transpose(0, 2, 1).reshape(-1, words)
    different, index = np.unique(observations, axis=0, return_inverse=True)
    joint = np.zeros(different.shape)  # p(x, m), [X, M]
    np.add.at(joint, index.ravel(), share)
    x = joint.sum(axis=1)
    if not x.sum() > 0:
        return float("nan")
    does = table[different]  # p(a|do(m), x), [X, M, A]
    given_x = np.divide(joint, x[:, None], out=np.zeros_like(joint), where=x[:, None] > 0)
    mean = np.einsum("xm,xma->xa", given_x, does)  # p(a|x)
    return float((joint * divergence(does, mean[:, None])).sum() / x.sum())


def claim_effect(table: PolicyTable, claims: CounterfactualClaims, listener: Listener) -> Floats:
    """What each word does to the listener against the true one, in nats, float64 `[G, M]`.

    Args:
        table: the listener's policy table, float64 `[O, A]`.
        claims: the words and the truth.
        listener: what it observes after each word.
    """
    does = table[listener.observations]  # [G, M, K, A]
    truth = claims.truth[:, None, None, None]
    at_truth = np.take_along_axis(does, truth, axis=1)
    moved = divergence(does, (does + at_truth) / 2)
    effect: Floats = (listener.probability * moved).sum(axis=2)
    return effect


def divergence(p: Floats, q: Floats) -> Floats:
    """KL(p || q) in nats over the last axis.

    Args:
        p: probabilities, float64 `[..., A]`.
        q: probabilities, float64 `[..., A]`, broadcast against `p`. They may be 0 only where p is,
            or where the result is weighted by 0 afterwards.

    Returns:
        Float64 `[...]`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where((p > 0) & (q > 0), p * np.log(p / q), 0.0)
    total: Floats = terms.sum(axis=-1)
    return total
