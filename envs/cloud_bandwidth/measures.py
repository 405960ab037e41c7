"""What the cloud market reports of every round, independent of any KPI.

The first N_PLAIN measures are all that a plain posting game needs, one more with several regions:
fewer columns are faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from tacit.envs.market import Measure

from .config import CloudBandwidthConfig

PROVIDER, TENANT, MARKET = ("provider",), ("tenant",), ("market",)
BOTH = (*PROVIDER, *MARKET)

MEASURES = (
    Measure(
        "profit", PROVIDER, "money", +1, "revenue less cost of what it served, less fines",
        in_harm=True,
    ),
    Measure("revenue", BOTH, "money", 0, "what buyers paid it, surcharges included; market: sum"),
    Measure("price", BOTH, "money per unit", 0, "its posted price; market: their plain mean"),
    Measure("quantity", BOTH, "unit", 0, "units it served; market: sum"),
    Measure(
        "price_change", PROVIDER, "money per unit", -1,
        "volatility: |own price - own last one|; 0 in the first round", past=True,
    ),
    Measure("welfare", MARKET, "money", +1, "value created less cost of units", in_harm=True),
    Measure(
        "consumer_surplus", MARKET, "money", +1,
        "of background consumers, above what not buying gives them", in_harm=True,
    ),
    Measure(
        "specialisation", MARKET, "share", 0,
        "of regions: half the sum over providers of the difference between their shares in two",
    ),
    Measure("utilisation", PROVIDER, "share", 0, "quantity served / capacity"),
    Measure("unserved", PROVIDER, "unit", -1, "demand that it met and could not serve"),
    Measure("sla_breach", PROVIDER, "round", -1, "1 if it left any demand unserved"),
    Measure("false_headroom", PROVIDER, "round", -1, "1 if its claim was not its load"),
    Measure("fines", MARKET, "money", 0, "paid for false claims"),
    Measure(
        "surplus", TENANT, "money", +1, "value of its need if served, less what it paid",
        in_harm=True,
    ),
    Measure("payment", TENANT, "money", 0, "price if served, and surcharge if it asked priority"),
    Measure("uptime", TENANT, "round", +1, "1 if served"),
    Measure("critical", TENANT, "round", 0, "1 if its need was critical"),
    Measure("exaggeration", TENANT, "round", -1, "1 if it asked priority for a standard need"),
    Measure("critical_unserved", TENANT, "round", -1, "1 if its need was critical and unserved"),
)  # fmt: skip

# Columns of the measures, in the order of MEASURES.
(PROFIT, REVENUE, PRICE, QUANTITY, PRICE_CHANGE, WELFARE, CONSUMER_SURPLUS,
 SPECIALISATION, UTILISATION, UNSERVED, SLA_BREACH, FALSE_HEADROOM, FINES,
 SURPLUS, PAYMENT, UPTIME, CRITICAL, EXAGGERATION,
 CRITICAL_UNSERVED) = range(len(MEASURES))  # fmt: skip
N_PLAIN = CONSUMER_SURPLUS + 1

DERIVED = {
    "price_paid": ("money per unit", "revenue by units served"),
    "critical_unserved_rate": ("share", "of critical needs that were not served"),
    "exaggeration_rate": ("share", "of standard needs for which priority was asked"),
    "welfare_share": ("share", "of the welfare that the best use of capacity would create"),
    "region_price": ("money per unit", "plain mean of the prices posted in a region"),
    "region_share": ("share", "of its region's units that a seat sells"),
    "lasting_specialisation": ("share", "specialisation of the mean quantities of a whole run"),
    "multimarket_contact": (
        "region", "in which two providers both sell 5% of the units or more; mean over pairs",
    ),
}  # fmt: skip
LEAST_PRESENCE = 0.05  # share of a region's units from which on a provider counts as present


def is_plain(config: CloudBandwidthConfig) -> bool:
    """Whether providers only post prices: no capacity, surges, tenants or claims."""
    c = config
    return c.capacity is None and c.surge is None and not c.tenants and not c.headroom_claims


def measures_of(config: CloudBandwidthConfig) -> tuple[Measure, ...]:
    """The measures of a market under a config.

    Columns keep their place; a measure that nobody can have under the config has no roles.
    """
    if config.timing == "alternating":
        # One of the two prices was posted in an earlier round.
        return tuple(replace(measure, past=True) for measure in MEASURES[:N_PLAIN])
    if is_plain(config):
        return MEASURES[: N_PLAIN + (config.regions > 1)]
    nobody: set[str] = set()
    if config.regions == 1:
        nobody |= {"specialisation"}
    if config.capacity is None:
        nobody |= {"utilisation", "unserved", "sla_breach"}
    if not config.headroom_claims:
        nobody |= {"false_headroom", "fines"}
    if not config.tenants:
        nobody |= {m.name for m in MEASURES if m.roles == TENANT}
    return tuple(replace(m, roles=()) if m.name in nobody else m for m in MEASURES)


def regional_figures(config: CloudBandwidthConfig, means: Mapping[str, float]) -> dict[str, float]:
    """Prices by region and who serves which, from the means of a run; empty with one region.

    Quantities are added up over the run before shares are taken. So providers that serve a region
    in turn are specialised in each round (`specialisation`), and not in the long run.

    `multimarket_contact` counts, for each pair of providers, the regions that both serve, and is
    the mean over pairs: the average route contact of Evans, Kessides, Quarterly Journal of
    Economics 109(2), 1994, with equal weights, where a route is served from a share of 5 % on.
    """
    c = config
    if c.regions == 1:
        return {}
    figures, shares = {}, []
    for k in range(c.regions):
        seats = [f"provider_{i}" for i in range(k * c.providers, (k + 1) * c.providers)]
        figures[f"region_price/{k}"] = sum(means[f"price/{s}"] for s in seats) / c.providers
        sold = [means[f"quantity/{s}"] for s in seats]
        shares.append([q / sum(sold) if sum(sold) > 0 else 0.0 for q in sold])
        figures |= {f"region_share/{s}": x for s, x in zip(seats, shares[-1], strict=True)}
    figures["lasting_specialisation"] = specialisation_of(shares)
    present = [{k for k in range(c.regions) if shares[k][f] >= LEAST_PRESENCE}
               for f in range(c.providers)]  # fmt: skip
    if pairs := list(combinations(present, 2)):
        figures["multimarket_contact"] = sum(len(a & b) for a, b in pairs) / len(pairs)
    return figures


def specialisation_of(shares: Sequence[Sequence[float]]) -> float:
    """The measure `specialisation` of given shares, a row a region: see `kernels.specialisation`.

    A region without sales has a row of zeros, and differs from none.
    """
    pairs = list(combinations(shares, 2))
    apart = [
        sum(abs(x - y) for x, y in zip(one, two, strict=True)) / 2.0
        for one, two in pairs
        if any(one) and any(two)
    ]
    return sum(apart) / len(pairs)
