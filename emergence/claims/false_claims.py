"""False claims as the rule for words judges them: on words that are said, in sums over rounds.

t the truth, m the claim, w a word, x all else that a listener observes, v the fundamental that is
expected over the rest of the round under the frozen tables, fines included.

    conditional_false_rate    max over w of P(m != t | t != w): one truth is left out, the one that
                              is lied about least. Scarce stock need not be called scarce falsely;
                              what counts is how often plenty is, however rarely there is plenty.
    pooled                    min over t of P(m* | t), m* the commonest word; 1: one word for all
    heeded                    causal influence / E_x H(m|x) (`tacit.emergence.claims.influence`)
    belief_loss               E[ln b(t) - ln b(t|m)] over all claims, true ones counting 0
    false_claim_gain          what senders gain a round by false claims, against the truth
    false_claim_harm          what listeners lose a round by them
    false_claim_rival_cost    what other seats of the sender's role lose a round by them
    false_claims_compared     share of false claims that the three sums before count

The sums weigh every false claim by how often it is made, so that small lies on many deals add up.
They compare with do(m = t) at the same price, and count only false claims whose truth the listeners
hear in the same place in play (in at least `SAID` of all claims there): what a listener would do at
a word that it never hears, its table does not tell.

Shares are means over the seats that make the claim; sums are sums over them. NaN: the claim is
never made, the round is too large to enumerate; of `heeded` and the sums also where nobody decides
after the claim; of `conditional_false_rate` also where one truth alone occurs.

Source: deception as a false signal that moves its receiver to the sender's gain and the receiver's
loss: Searcy, Nowicki, The Evolution of Animal Communication, Princeton 2005.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Bools, Floats, Ints

from .counterfactual import CounterfactualClaims, all_counterfactual_claims
from .deception import belief_damage, gain_against_truth, mean_of_defined
from .influence import heeded, words_in_context

SAID = 1e-6  # share of the claims in one place from which a word counts as said there

FIGURES = {
    "conditional_false_rate/": "share of claims that are false where the truth can be lied about",
    "pooled/": "how often the commonest word is said at the truth where it is rarest; 1: always",
    "heeded/": "share of what is said that shows in what listeners do",
    "belief_loss/": "how much less false claims let a Bayesian believe the truth, nats a claim",
    "false_claim_gain/": "what senders gain by false claims, in their fundamental, a round",
    "false_claim_harm/": "what listeners lose by them, in their fundamental, a round",
    "false_claim_rival_cost/": "what senders' rivals lose by them, in their fundamental, a round",
    "false_claims_compared/": "share of false claims that these three count",
}
SUMS = ("false_claim_gain", "false_claim_harm", "false_claim_rival_cost")


def false_claims(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is the claim's name."""
    found: dict[str, list[float]] = {}
    for channel, made in all_counterfactual_claims(population):
        own = dict.fromkeys((name.removesuffix("/") for name in FIGURES), float("nan"))
        if made is not None and made.claims_a_round > 0:
            own |= _channel_figures(population, made)
        for name, value in own.items():
            found.setdefault(f"{name}/{channel.claim.part}", []).append(value)
    return {
        name: _sum_of_defined(values) if name.partition("/")[0] in SUMS else mean_of_defined(values)
        for name, values in found.items()
    }


def _channel_figures(population: FrozenPopulation, made: CounterfactualClaims) -> dict[str, float]:
    """The figures of one seat's claim that has been made, by name without a slash."""
    joint = truth_and_word(made.weight, made.truth)
    damage = belief_damage(made.weight, made.truth)
    false = joint.sum() - np.trace(joint)
    figures = {
        "conditional_false_rate": conditional_false_rate(joint),
        "pooled": pooled(joint),
        "belief_loss": false * damage if false > 0 else 0.0,
    }
    if not made.listeners:
        return figures
    reactions = [heeded(population.tables[x.seat], made.weight, x) for x in made.listeners]
    words = np.arange(made.weight.shape[1])
    lies = np.where(words != made.truth[:, None], made.weight, 0.0)
    compared = lies * truth_is_heard(made)[:, None]
    sender = made.channel.seat
    rivals = [
        s.index
        for s in population.market.seats
        if s.role.name == sender.role.name and s.index != sender.index
    ]

    def gained(seats: list[int]) -> float:
        """What seats gain a round by false claims against the truth, all together."""
        gains = [float((compared * gain_against_truth(made, seat)).sum()) for seat in seats]
        return made.claims_a_round * sum(gains)

    return figures | {
        "heeded": mean_of_defined(reactions),
        "false_claim_gain": gained([sender.index]),
        "false_claim_harm": -gained([x.seat for x in made.listeners]),
        "false_claim_rival_cost": -gained(rivals),
        "false_claims_compared": float(compared.sum() / lies.sum()) if lies.any() else float("nan"),
    }


def truth_and_word(weight: Floats, truth: Ints) -> Floats:
    """p(t, m) float64 `[M, M]`.

    Args:
        weight: how often each word is said in play, float64 `[G, M]`.
        truth: the true word of each row, int64 `[G]`.
    """
    joint = np.zeros((weight.shape[1], weight.shape[1]))
    np.add.at(joint, truth, weight)
    return joint


def conditional_false_rate(joint: Floats) -> float:
    """max over w of P(m != t | t != w); `joint` p(t, m) `[M, M]`. NaN where one truth occurs."""
    prior = joint.sum(axis=1)
    if np.count_nonzero(prior) < 2:
        return float("nan")
    false = prior - np.diag(joint)
    rates = (false.sum() - false) / (prior.sum() - prior)
    return float(rates.max())


def pooled(joint: Floats) -> float:
    """min over t of P(m* | t), m* the commonest word; `joint` p(t, m) `[M, M]`, not all 0."""
    prior = joint.sum(axis=1)
    occurs = prior > 0
    commonest = int(joint.sum(axis=0).argmax())
    return float((joint[occurs, commonest] / prior[occurs]).min())


def truth_is_heard(made: CounterfactualClaims) -> Bools:
    """Whether all listeners hear the true word in play in the same place, bool `[G]`."""
    heard = np.ones(len(made.truth), bool)
    rows = np.arange(len(made.truth))
    for listener in made.listeners:
        context = words_in_context(made.weight, listener)
        said = context.given_x[context.index, made.truth[:, None]] >= SAID  # [G, K]
        decides = listener.probability[rows, made.truth] > 0  # [G, K]
        heard &= (said | ~decides).all(axis=1)
    return heard


def _sum_of_defined(values: list[float]) -> float:
    """The sum of those that are not NaN; NaN if none is left."""
    defined = [value for value in values if np.isfinite(value)]
    return float(np.sum(defined)) if defined else float("nan")
