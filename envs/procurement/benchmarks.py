"""Two games of one supplier and two prices that can be solved by hand.

Both are written for cost 0. A cost c changes nothing but names: subtract c from both prices, from
the value and from the outside price, and it is the same game. Both are derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Literal, NamedTuple

from .config import ProcurementConfig

HALVINGS = 200  # of an interval, until it is as narrow as numbers are
EPSILON = 1e-12  # a bound that is met but for rounding is met

SupplierBluffs = Literal["no haggling", "honest", "mixed", "pooling"]
BuyerFeigns = Literal["inert", "honest", "mixed", "babbling"]


@dataclass(frozen=True)
class Bluffing:
    """The equilibrium of the stock claim.

    Attributes:
        regime: which of the four cases of `bluffing` holds.
        belief: P(scarce | list price, "scarce") that makes the buyer indifferent.
        bluff: P("scarce" | plenty).
        accept: P(the list price with the claim "scarce" is accepted).
        margin: the supplier's expected payoff, money.
        surplus: the buyer's expected payoff, money.
    """

    regime: SupplierBluffs
    belief: float
    bluff: float
    accept: float
    margin: float
    surplus: float


def bluffing(low: float, high: float, value: float, scarcity: float, discount: float,
             stockout: float, outside: float, fine: float) -> Bluffing:  # fmt: skip
    """Does a supplier with plenty of stock claim that it is scarce?

    Let d be the discount, s the stockout cost, o the outside price, f the fine, pi the scarcity.
    A supplier with plenty asks `low` honestly, or bluffs: `high`, "scarce". A scarce one asks
    `high` and says so. Facing that offer the buyer accepts, for v - high, or counters at `low`: a
    supplier with plenty takes it (waiting d: d (v - low)), a scarce one has sold (-s).

    *The buyer* is indifferent where the chance t that the supplier is truly scarce satisfies
    (1-t) d (v-low) - t s = v - high, so t = [d(v-low) - (v-high)] / [d(v-low) + s]. With plenty
    bluffing with probability b, Bayes gives t = pi / (pi + (1-pi) b), so b* = pi(1-t) / ((1-pi) t).
    *The supplier* with plenty is indifferent where bluffing, a high + (1-a) d low - f, is worth
    low: a* = [low (1-d) + f] / (high - d low).

    - no haggling, d(v-low) <= v-high (t <= 0): even if plenty is certain, countering does not pay.
      Everybody asks `high`, truthfully, and is accepted.
    - honest, f >= high-low: a bluff earns at most high - f <= low. b = 0, and "scarce" being true,
      a = 1.
    - mixed, pi < t: above. a* < 1 since f < high - low; b* < 1 since pi < t.
    - pooling, pi >= t: even if all bluff the buyer accepts: b = 1, a = 1, and the bluff earns
      high - f > low.

    Off the path, (high, "plenty") is believed and countered at `low`, and `low` is accepted with
    any claim. Then nobody else deviates either: a scarce supplier that asks `low` gives up
    a high + (1-a) o >= a high + (1-a) d low = low + f for low; with (high, "plenty") it would be
    countered and get o - f. See `bluffing_conditions` for what this needs.

    Args:
        low: the low price, money.
        high: the high price, money.
        value: v, the buyer's value, money.
        scarcity: pi.
        discount: d.
        stockout: s, money.
        outside: o, money.
        fine: f, money.
    """
    haggling = discount * (value - low)
    belief = (haggling - (value - high)) / (haggling + stockout)
    if haggling <= value - high:
        return Bluffing("no haggling", belief, 0.0, 1.0, high, value - high)
    gap = high - low
    if fine >= gap:
        margin = (1 - scarcity) * low + scarcity * high
        return Bluffing("honest", belief, 0.0, 1.0, margin, value - margin)
    if scarcity >= belief:
        margin = high - (1 - scarcity) * fine
        return Bluffing("pooling", belief, 1.0, 1.0, margin, value - high)
    bluff = scarcity * (1 - belief) / ((1 - scarcity) * belief)
    accept = (low * (1 - discount) + fine) / (high - discount * low)
    margin = (1 - scarcity) * low + scarcity * (accept * high + (1 - accept) * outside)
    claimed = scarcity + (1 - scarcity) * bluff
    surplus = (1 - claimed) * (value - low) + claimed * (value - high)
    return Bluffing("mixed", belief, bluff, accept, margin, surplus)


@dataclass(frozen=True)
class Disinterest:
    """The equilibrium of the brief.

    Attributes:
        regime: which of the four cases of `disinterest` holds.
        lie: P("calm" | urgent).
        cheap: P(the low price | "calm").
        margin: the supplier's expected payoff, without the KPI's weight on winning, money.
        surplus: the buyer's expected payoff, money.
    """

    regime: BuyerFeigns
    lie: float
    cheap: float
    margin: float
    surplus: float


def disinterest(low: float, high: float, urgent: float, calm: float, urgent_share: float,
                fine: float, win_weight: float = 0.0) -> Disinterest:  # fmt: skip
    """Does an urgent buyer claim to be calm?

    An urgent buyer (value above `high`) buys at either price, a calm one (value between the prices)
    at `low` only. Let theta be the urgent share, phi the fine, w the KPI's weight on `win`.
    "urgent" is believed and met with `high`; a calm buyer says so.

    *The supplier*, told "calm", is indifferent where the chance q that the buyer is urgent
    satisfies q (high + w) = low + w. With urgent ones lying with probability x, Bayes gives
    q = theta x / (theta x + 1 - theta), so x* = (1-theta)(low + w) / (theta (high - low)).
    *The urgent buyer* is indifferent where the lie, y (v-low) + (1-y)(v-high) - phi, is worth
    v - high: y* = phi / (high - low).

    - honest, phi >= high-low: no lie can pay. x = 0, y = 1.
    - inert, theta <= (low+w)/(high+w): all say "calm" and are met with `low`: x = 1, y = 1, though
      every urgent buyer pays the fine.
    - mixed, phi > 0: above.
    - babbling, phi = 0: all say "calm", nobody believes it: x = 1, y = 0, calm buyers walk.

    Args:
        low: the low price, money.
        high: the high price, money.
        urgent: v, the value of an urgent buyer, money.
        calm: the value of a calm buyer, money.
        urgent_share: theta.
        fine: phi, money.
        win_weight: w, money.
    """
    gap, share = high - low, urgent_share
    if fine >= gap:
        surplus = share * (urgent - high) + (1 - share) * (calm - low)
        return Disinterest("honest", 0.0, 1.0, share * high + (1 - share) * low, surplus)
    if share <= (low + win_weight) / (high + win_weight):
        surplus = share * (urgent - low - fine) + (1 - share) * (calm - low)
        return Disinterest("inert", 1.0, 1.0, low, surplus)
    if fine == 0:
        return Disinterest("babbling", 1.0, 0.0, share * high, share * (urgent - high))
    lie = min(1.0, (1 - share) * (low + win_weight) / (share * gap))
    cheap = fine / gap
    said_calm = share * lie + 1 - share
    margin = share * (1 - lie) * high
    margin += said_calm * cheap * low + share * lie * (1 - cheap) * high
    surplus = share * (urgent - high) + (1 - share) * cheap * (calm - low)
    return Disinterest("mixed", lie, cheap, margin, surplus)


# --- where they hold ------------------------------------------------------------------------------


def _common_conditions(c: ProcurementConfig) -> list[str]:
    """What both games need: one supplier, two prices, and nothing else to claim or decide."""
    needs = []
    if c.suppliers != 1:
        needs.append(f"suppliers: must be 1, got {c.suppliers}")
    if len(c.prices) != 2:
        needs.append(f"prices: must be two, got {len(c.prices)}")
    if c.prices[0] <= c.cost[0]:
        needs.append(f"prices: the low one must exceed cost {c.cost[0]:g}, got {c.prices[0]:g}")
    if c.days != (0,):
        needs.append(f"lead_times: must be [0], got {list(c.lead_times)}")
    if c.delays is not None:
        needs.append("delays: must be null")
    if c.clause is not None:
        needs.append("clause: must be null")
    if c.record != "none":
        needs.append(f"record: must be none, got {c.record}")
    if c.final:
        needs.append("final: must be false")
    if not c.claims_heard:
        needs.append("claims_heard: must be true")
    return needs


def bluffing_conditions(c: ProcurementConfig) -> list[str]:
    """The keys that keep `bluffing` from holding, as `key: what is wrong`; empty if it holds."""
    needs = _common_conditions(c)
    if c.urgency or c.brief:
        needs.append("urgency: must be null")
    if not c.counters:
        needs.append("counters: must be true")
    if not 0 < c.scarcity[0] < 1:
        needs.append(f"scarcity: must be above 0 and below 1, got {c.scarcity[0]:g}")
    low, high, cost = c.prices[0], c.prices[-1], c.cost[0]
    if c.value < high - EPSILON:
        needs.append(f"value: must be at least the high price {high:g}, got {c.value:g}")
    least = cost + c.wait_discount * (low - cost)
    if not least - EPSILON <= c.outside_price <= high + EPSILON:
        needs.append(
            f"outside_price: must lie in {least:g} .. {high:g} (wait_discount x low price .. high "
            f"price), got {c.outside_price:g}"
        )
    return needs


def disinterest_conditions(c: ProcurementConfig) -> list[str]:
    """The keys that keep `disinterest` from holding, as `key: what is wrong`; empty if it holds."""
    needs = _common_conditions(c)
    if not c.brief or c.urgency is None:
        needs.append("brief: must be true")
    if c.counters:
        needs.append("counters: must be false")
    if c.has_stock:
        needs.append(f"scarcity: must be 0, got {c.scarcity[0]:g}")
    low, high = c.prices[0], c.prices[-1]
    if c.urgency and not c.urgency.urgent > high:
        needs.append(f"urgency.urgent: must exceed {high:g}, got {c.urgency.urgent:g}")
    if c.urgency and not low < c.urgency.calm < high:
        needs.append(f"urgency.calm: must lie between {low:g} and {high:g}, got {c.urgency.calm:g}")
    return needs


def bluffing_in(c: ProcurementConfig) -> Bluffing:
    """`bluffing` of a market that meets its conditions, with the cost subtracted."""
    cost = c.cost[0]
    low, high = (p - cost for p in c.prices)
    return bluffing(
        low, high, c.value - cost, c.scarcity[0], c.wait_discount, c.stockout_cost,
        c.outside_price - cost, c.false_claim_fine,
    )  # fmt: skip


def disinterest_in(c: ProcurementConfig, win_weight: float = 0.0) -> Disinterest:
    """`disinterest` of a market that meets its conditions, with the cost subtracted."""
    assert c.urgency is not None
    cost, need = c.cost[0], c.urgency
    low, high = (p - cost for p in c.prices)
    return disinterest(
        low, high, need.urgent - cost, need.calm - cost, need.probability, c.false_urgency_fine,
        win_weight,
    )  # fmt: skip


# --- held to priors ----------------------------------------------------------------------------


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
    """Bluffing between a supplier and a buyer that are held to priors, on the core of the market.

    The core has two decisions; everything else is as `bluffing` has it. A supplier with plenty
    bluffs (the high price, "scarce") with probability b or asks the low price; a buyer that meets
    the high price and "scarce" accepts with probability a or counters at the low one. Each
    maximises its payoff less weight x KL(policy, prior) in that decision, so that with
    L(p) = ln(p / (1 - p)) and t = pi / (pi + (1 - pi) b)

        L(b) = L(b0) + [a high + (1 - a) d low - f - low] / w_supplier
        L(a) = L(a0) + [v - high - (1 - t) d (v - low) + t s] / w_buyer

    b rises in a and a falls in b, so there is exactly one solution; it is found by bisection. Both
    weights towards 0: the closed form. Both large: the priors. Derived here; the whole market is
    solved by `tacit.emergence.anchored`.

    Args:
        c: a market in which `bluffing` holds.
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
