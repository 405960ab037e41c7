"""How much claims move their listeners.

t the truth, m the claim, x everything else that the listener observes (the price above all), a what
it does.

    causal_influence   E_x sum_m p(m|x) sum_a p(a|do(m),x) ln[p(a|do(m),x) / p(a|x)],
                       p(a|x) = sum_m p(m|x) p(a|do(m),x)
    heeded             causal_influence / E_x H(m|x): the share of what is said that shows in what
                       it does (0: deaf; 1: another act at every word)
    claim_effect       KL(p(a|do(m),x) || half p(a|do(m),x) + half p(a|do(t),x)): what a word does
                       to its listener against the truth at the same price (0 .. ln 2)

p(a|x) weighs words by how often they are used. An average over words would score a deaf listener
above 0 as soon as words are used unevenly; with the weights it scores 0. A sender that always says
the same has no causal influence, whatever its listener would do at another word; there,
`claim_effect` tells a deaf listener from a trusting one.

Nats of influence shrink with how rarely words differ: before the same trusting listener, a word
that is said once in a hundred rounds has .056 at most. `heeded` is 1 there too.

Source: Lowe, Foerster, Boureau, Pineau, Dauphin, "On the pitfalls of measuring emergent
communication", AAMAS 2019; Jaques et al., "Social influence as intrinsic motivation", ICML 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.envs.types import Floats, Ints

from .counterfactual import CounterfactualClaims, Listener

ROUNDING = 1e-12  # nats below which words do not differ


def causal_influence(table: PolicyTable, weight: Floats, listener: Listener) -> float:
    """Causal influence over everything that the listener observes beside the word.

    Args:
        table: the listener's policy table, float64 `[O, A]`.
        weight: how often each word is said in play, float64 `[G, M]`.
        listener: what it observes after each word.

    Returns:
        Nats; NaN if the listener never has a choice.
    """
    context = words_in_context(weight, listener)
    total = context.joint.sum()
    if not total > 0:
        return float("nan")
    does = table[context.observations]  # p(a|do(m), x), [X, M, A]
    mean = np.einsum("xm,xma->xa", context.given_x, does)  # p(a|x)
    return float((context.joint * divergence(does, mean[:, None])).sum() / total)


def heeded(table: PolicyTable, weight: Floats, listener: Listener) -> float:
    """Share of what is said that shows in what a listener does.

    Args:
        table: the listener's policy table, float64 `[O, A]`.
        weight: how often each word is said in play, float64 `[G, M]`.
        listener: what it observes after each word.

    Returns:
        0 .. 1; 0 where it never hears more than one word in the same place; NaN if it never has a
        choice.
    """
    context = words_in_context(weight, listener)
    total = context.joint.sum()
    if not total > 0:
        return float("nan")
    said = np.where(context.joint > 0, context.given_x, 1.0)
    uncertainty = -float((context.joint * np.log(said)).sum() / total)
    if uncertainty < ROUNDING:
        return 0.0
    return min(1.0, causal_influence(table, weight, listener) / uncertainty)


@dataclass(frozen=True, eq=False)
class WordsInContext:
    """The words that a listener hears, by everything else that it observes: X contexts, M words.

    Attributes:
        observations: what it observes after each word, int64 `[X, M]`.
        joint: how often the context and the word occur together, float64 `[X, M]`.
        given_x: how often each word occurs in the context, float64 `[X, M]`; 0 where it never does.
        index: the context of each row and draw, int64 `[G, K]`.
    """

    observations: Ints
    joint: Floats
    given_x: Floats
    index: Ints


def words_in_context(weight: Floats, listener: Listener) -> WordsInContext:
    """Which words a listener hears beside everything else that it observes.

    Args:
        weight: how often each word is said in play, float64 `[G, M]`.
        listener: what it observes after each word.
    """
    rows, words, draws = listener.observations.shape
    # One line for each x that a row of words leads to, the same x repeated.
    observations = listener.observations.transpose(0, 2, 1).reshape(-1, words)
    share = (weight[:, :, None] * listener.probability).transpose(0, 2, 1).reshape(-1, words)
    different, index = np.unique(observations, axis=0, return_inverse=True)
    joint = np.zeros(different.shape)
    np.add.at(joint, index.ravel(), share)
    x = joint.sum(axis=1, keepdims=True)
    given_x = np.divide(joint, x, out=np.zeros_like(joint), where=x > 0)
    return WordsInContext(different, joint, given_x, index.reshape(rows, draws))


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
