"""Bluffing between a supplier and a buyer that are held to priors, on the core of the market.

The core has two decisions; everything else is as the closed form of `benchmarks.bluffing` has it.
A supplier with plenty bluffs (the high price, "scarce") with probability b or asks the low price; a
buyer that meets the high price and "scarce" accepts with probability a or counters at the low one.
Each maximises its payoff less weight x KL(policy, prior) in that decision, so that with
L(p) = ln(p / (1 - p))

    L(b) = L(b0) + [a high + (1 - a) d low - f - low] / w_supplier
    L(a) = L(a0) + [v - high - (1 - t) d (v - low) + t s] / w_buyer,   t = pi / (pi + (1 - pi) b)

b rises in a and a falls in b, so there is exactly one solution; it is found by bisection. Both
weights towards 0: the closed form. Both large: the priors. Derived here; the whole market is solved
by `tacit.emergence.anchored`.
"""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

from .config import ProcurementConfig

HALVINGS = 200


class AnchoredBluffing(NamedTuple):
    """The solution on the core.

    Attributes:
        bluff: P(the high price and "scarce" | plenty).
        accept: P(the high price with "scarce" is accepted).
        surplus: the buyer's expected payoff, money.
    """

    bluff: float
    accept: float
    surplus: float


def anchored_bluffing(
    c: ProcurementConfig,
    prior_bluff: float,
    prior_accept: float,
    supplier_weight: float,
    buyer_weight: float,
) -> AnchoredBluffing:
    """The anchored equilibrium of the core.

    Args:
        c: a market in which `benchmarks.bluffing` holds.
        prior_bluff: b0, above 0 and below 1.
        prior_accept: a0, above 0 and below 1.
        supplier_weight: of the supplier's divergence, money, above 0.
        buyer_weight: of the buyer's divergence, money, above 0.
    """
    cost, pi, d = c.cost[0], c.scarcity[0], c.wait_discount
    low, high, value = c.prices[0] - cost, c.prices[-1] - cost, c.value - cost

    def bluff(accept: float) -> float:
        gain = accept * high + (1 - accept) * d * low - c.false_claim_fine - low
        return _moved(prior_bluff, gain / supplier_weight)

    def scarce(bluff: float) -> float:
        return pi / (pi + (1 - pi) * bluff)

    def countering(bluff: float) -> float:
        t = scarce(bluff)
        return (1 - t) * d * (value - low) - t * c.stockout_cost

    def accept(bluff: float) -> float:
        return _moved(prior_accept, (value - high - countering(bluff)) / buyer_weight)

    below, above = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        if accept(bluff(middle)) > middle:
            below = middle
        else:
            above = middle
    a = 0.5 * (below + above)
    b = bluff(a)
    met = pi + (1 - pi) * b
    of_high = a * (value - high) + (1 - a) * countering(b)
    return AnchoredBluffing(b, a, (1 - met) * (value - low) + met * of_high)


def _moved(prior: float, logit: float) -> float:
    """The probability whose log-odds are the prior's plus `logit`."""
    x = log(prior / (1 - prior)) + logit
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))
