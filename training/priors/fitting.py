"""Prior files from counts: figures with interval and n, the sources that they name, YAML.

Which figure stands for what in a market is said by a module of the market's name, here
`procurement.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from tacit.agents.prior.prior_file import FORM
from tacit.emergence.stats import wilson
from tacit.training.config.files import Dumper

from .human_claims import CLAIMS, MESSAGES, OFFERS, Count, HumanClaims

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


def prior_content(
    title: str,
    market: str,
    role: str,
    figures: Mapping[str, Mapping[str, Any]],
    acceptance: list[dict[str, Any]],
    assumptions: Mapping[str, str],
    counts: HumanClaims,
) -> dict[str, Any]:
    """What a prior file holds, with the sources that its figures name."""
    content: dict[str, Any] = {
        "form": FORM, "title": title, "market": market, "role": role, "figures": figures,
    }  # fmt: skip
    if acceptance:
        content["acceptance"] = acceptance
    content["assumptions"] = assumptions
    used = {figure["source"] for figure in (*figures.values(), *acceptance)}
    content["sources"] = {
        name: source for name, source in _sources(counts.hashes).items() if name in used
    }
    return content


def figure(count: Count, source: str, meaning: str) -> dict[str, Any]:
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
