"""The priors of `procurement`: which count stands for which figure of a supplier or a buyer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fitting import DEALS, DIPLOMACY, HAGGLING, PRIORITIES, figure, prior_content
from .human_claims import MOST_POINTS, Count, HumanClaims

MARKET = "procurement"
# Published aggregates of a corpus whose licence is unknown, so that no file of it is read:
# CraigslistBargain, development and test part, 1,299 dialogues.
DIALOGUES = 1299
SELLERS_LIMITS: Count = (80, DIALOGUES)  # "the lowest I can go is x"
SELLERS_BELOW: Count = (22, 61)  # of those that ended in a deal: at a price below x
BUYERS_LIMITS: Count = (29, DIALOGUES)  # "the most I can pay is x"
BUYERS_ABOVE: Count = (11, 22)  # of those that ended in a deal: at a price above x


def fitted_priors(counts: HumanClaims) -> dict[str, dict[str, Any]]:
    """The priors that the counts make: name of the file -> what it holds."""
    lies = figure(counts.false_message, DIPLOMACY, "messages that their sender called false")
    bluffs = figure(counts.false_priority, PRIORITIES, "stated top priorities that were false")
    sells = "sells as if claims of stock and days were"
    buys = "buys, and takes claims as Diplomacy players take"
    return {
        "supplier_diplomacy": _supplier(f"{sells} messages of Diplomacy players", lies, counts),
        "supplier_campsite": _supplier(
            f"{sells} priorities of campsite neighbours", bluffs, counts
        ),
        "buyer_people": _buyer(
            f"{buys} messages; accepts as campsite neighbours do",
            figure(counts.suspected, DIPLOMACY, "messages taken for false, of those judged"),
            lies,
            counts,
        ),
        "buyer_lied_to": _buyer(
            f"{buys} lies; accepts as campsite neighbours do",
            figure(counts.suspected_lie, DIPLOMACY, "false messages taken for false"),
            lies,
            counts,
        ),
    }


def _supplier(title: str, false: Mapping[str, Any], counts: HumanClaims) -> dict[str, Any]:
    """A prior of a supplier of `procurement`."""
    figures = {
        "false_claim": false,
        "says_final": figure(
            SELLERS_LIMITS, HAGGLING, "sellers' claims of a lowest price, per dialogue"
        ),
        "false_final": figure(SELLERS_BELOW, HAGGLING, "such claims with a deal that is below"),
    }
    assumed = {"price_if_plenty": "lowest", "price_if_scarce": "highest", "answer": "covers_cost"}
    return prior_content(title, MARKET, "supplier", figures, [], assumed, counts)


def _buyer(
    title: str, suspicion: Mapping[str, Any], false: Mapping[str, Any], counts: HumanClaims
) -> dict[str, Any]:
    """A prior of a buyer of `procurement`."""
    figures = {
        "suspicion": suspicion,
        "false_claim": false,
        "says_final": figure(
            BUYERS_LIMITS, HAGGLING, "buyers' claims of a highest price, per dialogue"
        ),
        "false_final": figure(BUYERS_ABOVE, HAGGLING, "such claims with a deal that is above"),
    }
    acceptance = [
        {
            "least_share": round(points / MOST_POINTS, 6),
            **figure(count, DEALS, f"proposals accepted, from {points} own points on"),
        }
        for points, count in counts.accepted.items()
    ]
    return prior_content(
        title, MARKET, "buyer", figures, acceptance, {"counter_price": "any"}, counts
    )
