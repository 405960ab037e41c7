"""Prior files from counts: which figure stands for what, with interval, n and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from tacit.agents.prior.prior_file import FORM
from tacit.emergence.stats import wilson
from tacit.training.config.files import Dumper

from .human_claims import CLAIMS, MESSAGES, MOST_POINTS, OFFERS, Count, HumanClaims

HEAD = """\
# Fitted by: tacit prior fit {folder} -o {output}
# Run it again rather than change a number by hand. Aggregates only; the data were changed (see
# `sources`), and CC BY 4.0 asks that their authors are named wherever the figures are used.
"""
DIPLOMACY, PRIORITIES, DEALS, HAGGLING = (
    "diplomacy",
    "campsite_claims",
    "campsite_deals",
    "haggling",
)
CASINO = (
    "Chawla, Ramirez, Clever, Lucas, May, Gratch: CaSiNo: A Corpus of Campsite Negotiation "
    "Dialogues for Automatic Negotiation Systems. NAACL 2021"
)
CASINO_AT = "github.com/kushalchawla/CaSiNo @ 2f6ed4a6a55110152a7699fbaa8150d6036314be, data/split"
# Published aggregates of a corpus whose licence is unknown, so that no file of it is read:
# CraigslistBargain, development and test part, 1,299 dialogues.
DIALOGUES = 1299
SELLERS_LIMITS: Count = (80, DIALOGUES)  # "the lowest I can go is x"
SELLERS_BELOW: Count = (22, 61)  # of those that ended in a deal: at a price below x
BUYERS_LIMITS: Count = (29, DIALOGUES)  # "the most I can pay is x"
BUYERS_ABOVE: Count = (11, 22)  # of those that ended in a deal: at a price above x


def fitted_priors(counts: HumanClaims) -> dict[str, dict[str, Any]]:
    """The priors that the counts make: name of the file -> what it holds."""
    lies = _figure(counts.false_message, DIPLOMACY, "messages that their sender called false")
    bluffs = _figure(counts.false_priority, PRIORITIES, "stated top priorities that were false")
    sells = "sells as if claims of stock and days were"
    buys = "buys, and takes claims as Diplomacy players take"
    return {
        "supplier_diplomacy": _supplier(f"{sells} messages of Diplomacy players", lies, counts),
        "supplier_campsite": _supplier(
            f"{sells} priorities of campsite neighbours", bluffs, counts
        ),
        "buyer_people": _buyer(
            f"{buys} messages; accepts as campsite neighbours do",
            _figure(counts.suspected, DIPLOMACY, "messages taken for false, of those judged"),
            lies,
            counts,
        ),
        "buyer_lied_to": _buyer(
            f"{buys} lies; accepts as campsite neighbours do",
            _figure(counts.suspected_lie, DIPLOMACY, "false messages taken for false"),
            lies,
            counts,
        ),
    }


def _supplier(title: str, false: Mapping[str, Any], counts: HumanClaims) -> dict[str, Any]:
    """A prior of a supplier of `procurement`."""
    figures = {
        "false_claim": false,
        "says_final": _figure(
            SELLERS_LIMITS, HAGGLING, "sellers' claims of a lowest price, per dialogue"
        ),
        "false_final": _figure(SELLERS_BELOW, HAGGLING, "such claims with a deal that is below"),
    }
    assumed = {"price_if_plenty": "lowest", "price_if_scarce": "highest", "answer": "covers_cost"}
    return _prior(title, "supplier", figures, [], assumed, counts)


def _buyer(
    title: str, suspicion: Mapping[str, Any], false: Mapping[str, Any], counts: HumanClaims
) -> dict[str, Any]:
    """A prior of a buyer of `procurement`."""
    figures = {
        "suspicion": suspicion,
        "false_claim": false,
        "says_final": _figure(
            BUYERS_LIMITS, HAGGLING, "buyers' claims of a highest price, per dialogue"
        ),
        "false_final": _figure(BUYERS_ABOVE, HAGGLING, "such claims with a deal that is above"),
    }
    acceptance = [
        {
            "least_share": round(points / MOST_POINTS, 6),
            **_figure(count, DEALS, f"proposals accepted, from {points} own points on"),
        }
        for points, count in counts.accepted.items()
    ]
    return _prior(title, "buyer", figures, acceptance, {"counter_price": "any"}, counts)


def _prior(
    title: str,
    role: str,
    figures: Mapping[str, Mapping[str, Any]],
    acceptance: list[dict[str, Any]],
    assumptions: Mapping[str, str],
    counts: HumanClaims,
) -> dict[str, Any]:
    """What a prior file holds, with the sources that its figures name."""
    content: dict[str, Any] = {
        "form": FORM, "title": title, "market": "procurement", "role": role, "figures": figures,
    }  # fmt: skip
    if acceptance:
        content["acceptance"] = acceptance
    content["assumptions"] = assumptions
    used = {figure["source"] for figure in (*figures.values(), *acceptance)}
    content["sources"] = {
        name: source for name, source in _sources(counts.hashes).items() if name in used
    }
    return content


def _figure(count: Count, source: str, meaning: str) -> dict[str, Any]:
    """A share with its 95 % Wilson interval, six decimals."""
    share = wilson(*count)
    return {
        "value": round(share.mean, 6),
        "low": round(share.low, 6),
        "high": round(share.high, 6),
        "count": count[0],
        "n": count[1],
        "source": source,
        "meaning": meaning,
    }


def _sources(hashes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Every source by name: whose it is, under which licence, and what was changed."""
    return {
        DIPLOMACY: {
            "citation": "Peskov, Cheng, Elgohary, Barrow, Danescu-Niculescu-Mizil, Boyd-Graber: "
            "It Takes Two to Lie: One to Lie, and One to Listen. ACL 2020",
            "address": "github.com/DenisPeskoff/2020_acl_diplomacy @ "
            "c28c0870a639f6f388c87d4f8eaf685e64bfb1a6, data",
            "licence": "CC BY 4.0",
            "changes": "reduced to labels and scores without texts, then to these counts",
            "file": MESSAGES,
            "sha256": hashes[MESSAGES],
        },
        PRIORITIES: {
            "citation": CASINO,
            "address": CASINO_AT,
            "licence": "CC BY 4.0",
            "changes": "statements of priority found by regular expression, those that it called "
            "false read again, then reduced to these counts",
            "file": CLAIMS,
            "sha256": hashes[CLAIMS],
        },
        DEALS: {
            "citation": CASINO,
            "address": CASINO_AT,
            "licence": "CC BY 4.0",
            "changes": "reduced to proposals and answers without texts, then to these counts",
            "file": OFFERS,
            "sha256": hashes[OFFERS],
        },
        HAGGLING: {
            "citation": "He, Chen, Balakrishnan, Liang: Decoupling Strategy and Generation in "
            "Negotiation Dialogues. EMNLP 2018 (CraigslistBargain, development and test part)",
            "address": "github.com/rishabhjoshi/DialoGraph_ICLR21 @ 405e047",
            "licence": "unknown: aggregates only, no file is read or kept",
            "changes": "limit claims found by regular expression and counted",
        },
    }


def prior_text(content: Mapping[str, Any], folder: str, output: str) -> str:
    """A prior file as YAML, behind the command that wrote it.

    Args:
        content: what it holds.
        folder: of the data, as the command names it.
        output: the folder that it is written to, as the command names it.
    """
    text: str = yaml.dump(
        dict(content), Dumper=Dumper, sort_keys=False, width=96, default_flow_style=None
    )
    return HEAD.format(folder=folder, output=output) + text
