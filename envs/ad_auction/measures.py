"""What the ad auction reports of every round, independent of any KPI."""

from __future__ import annotations

from tacit.envs.market import Measure

BIDDER, PUBLISHER, MARKET = ("bidder",), ("publisher",), ("market",)

MEASURES = (
    Measure(
        "profit", BIDDER, "money", +1, "clicks x (value - price) if it won a slot, else 0",
        in_harm=True,
    ),
    Measure("win", BIDDER, "slot", +1, "1 if it won a slot"),
    Measure("spend", BIDDER, "money", 0, "what it paid for all its clicks"),
    Measure("bid", BIDDER, "money", 0, "what it bid"),
    Measure("shading", BIDDER, "money", 0, "value less bid"),
    Measure(
        "price_change", (*BIDDER, *PUBLISHER), "money", -1,
        "volatility: |clearing price - last one|; 0 in the first round and if unsold", past=True,
    ),
    Measure(
        "clearing_price", (*BIDDER, *MARKET), "money", 0,
        "mean price per click sold; the last one in a round without a sale", past=True,
    ),
    Measure(
        "revenue", (*PUBLISHER, *MARKET), "money", +1, "what the seller received", in_harm=True
    ),
    Measure("fill", (*PUBLISHER, *MARKET), "slot", +1, "slots sold"),
    Measure(
        "welfare", MARKET, "money", +1, "value created: clicks x value of all winners",
        in_harm=True,
    ),
)  # fmt: skip

# Columns of the measures, in the order of MEASURES.
(PROFIT, WIN, SPEND, BID, SHADING,
 PRICE_CHANGE, CLEARING_PRICE, REVENUE, FILL, WELFARE) = range(len(MEASURES))  # fmt: skip
