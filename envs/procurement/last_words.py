"""Prices that are called final: the smallest game, solved by backward induction.

One supplier that has stock for certain (cost 0), prices pL < pH, `final: true`. Let v > pH be the
buyer's value, d the discount of a round of waiting, s the stockout cost, f the fine on a final
price that is gone back on. Everybody knows everything; only what was *said* differs.

*Settle.* After a refused counter of pL the ask pH is worth d^2 (v - pH) > 0 > -s. A buyer whose
counter was open takes it. One whose counter was final takes it as well unless the fine exceeds what
there is to gain: its word binds if f > d^2 (v - pH) + s.

*Answer.* Refused by a bound buyer, the supplier has nothing; else it gets d^2 pH. Accepting pL is
worth d pL, less f if its ask was final. So it accepts a binding counter if its own ask was open, or
if f <= d pL; and another counter if d pL - [f] >= d^2 pH.

*Respond.* Accepting pH is worth v - pH. A counter that is accepted is worth d (v - pL); one that is
refused is worth less than v - pH whatever follows. So the buyer counters if a counter would be
accepted and d (v - pL) > v - pH: finally where only that binds.

*Offer.* pL is accepted at once, for pL. pH is accepted, for pH, if the buyer does not counter; else
it earns d pL at most, less than pL. The supplier calls pH final where that prevents a counter.

So the price is pH or pL by three cases (`last_words`): nobody gains by haggling; else a supplier's
word that binds, or patience, keeps pH; else pL. Without a fine words change nothing (cheap talk:
whoever may still choose is not bound by what it said), and a fine can move the price either way: a
middling one binds the buyer alone and makes it pL, a large one binds the supplier, who speaks
first. On the path nothing said is false: with a fine false words cost, without one they are idle.

That a threat helps only if it binds: Schelling, The Strategy of Conflict, 1960, chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Case = Literal["no haggling", "patience", "the supplier's word", "the buyer's word", "haggling"]


@dataclass(frozen=True)
class LastWords:
    """What is asked and paid in the smallest game with final prices.

    Attributes:
        case: why.
        price: of the deal, money; it is made at once.
        supplier_bound: whether a supplier's final ask of the high price binds it at a counter
            that is the buyer's last offer.
        buyer_bound: whether a buyer's final counter binds it.
    """

    case: Case
    price: float
    supplier_bound: bool
    buyer_bound: bool


def last_words(
    low: float, high: float, value: float, discount: float, stockout: float, fine: float
) -> LastWords:
    """The price in subgame-perfect equilibrium; who is indifferent accepts, or deals at once.

    Args:
        low: the low price, money.
        high: the high price, money, below the value.
        value: v, the buyer's value, money.
        discount: d.
        stockout: s, money.
        fine: f, money.
    """
    buyer_bound = fine > discount**2 * (value - high) + stockout
    # Where no word binds a refusal is worth the ask, twice discounted.
    waits = discount * low < discount**2 * high
    supplier_bound = fine > discount * low
    if discount * (value - low) <= value - high:
        return LastWords("no haggling", high, supplier_bound, buyer_bound)
    if buyer_bound:
        if supplier_bound:
            return LastWords("the supplier's word", high, supplier_bound, buyer_bound)
        return LastWords("the buyer's word" if waits else "haggling", low, False, True)
    if waits:
        return LastWords("patience", high, supplier_bound, buyer_bound)
    # A refusal is worth d^2 high: the supplier's word needs to weigh the difference only.
    if discount * low - fine < discount**2 * high:
        return LastWords("the supplier's word", high, True, buyer_bound)
    return LastWords("haggling", low, False, buyer_bound)
