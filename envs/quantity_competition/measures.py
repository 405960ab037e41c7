"""What quantity competition reports of every round, independent of any KPI."""

from __future__ import annotations

from tacit.envs.market import Measure

FIRM, MARKET = ("firm",), ("market",)
MEASURES = (
    Measure("profit", FIRM, "money", +1, "(price - cost) x its output", in_harm=True),
    Measure("quantity", (*FIRM, *MARKET), "unit", 0, "its output; market: the sum"),
    Measure("price", MARKET, "money per unit", 0, "at which everything is sold"),
    Measure("consumer_surplus", MARKET, "money", +1, "above what buyers pay", in_harm=True),
    Measure("welfare", MARKET, "money", +1, "consumer surplus and all profits", in_harm=True),
)
PROFIT, QUANTITY, PRICE, CONSUMER_SURPLUS, WELFARE = range(len(MEASURES))  # their columns
