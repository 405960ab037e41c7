"""What the cloud market reports of every round, independent of any KPI.

The first N_PLAIN measures are all that a plain posting game needs: fewer columns are faster.
"""

from __future__ import annotations

from dataclasses import replace

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
 UTILISATION, UNSERVED, SLA_BREACH, FALSE_HEADROOM, FINES,
 SURPLUS, PAYMENT, UPTIME, CRITICAL, EXAGGERATION,
 CRITICAL_UNSERVED) = range(len(MEASURES))  # fmt: skip
N_PLAIN = CONSUMER_SURPLUS + 1


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
        return MEASURES[:N_PLAIN]
    nobody: set[str] = set()
    if config.capacity is None:
        nobody |= {"utilisation", "unserved", "sla_breach"}
    if not config.headroom_claims:
        nobody |= {"false_headroom", "fines"}
    if not config.tenants:
        nobody |= {m.name for m in MEASURES if m.roles == TENANT}
    return tuple(replace(m, roles=()) if m.name in nobody else m for m in MEASURES)
