"""The word for the KPI, the split of its harm beside it, and the Goodhart gap of a run."""

from __future__ import annotations

import numpy as np
import pytest
from support.training_fixtures import small

from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.objective.verdict import kpi_or_learning
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.runs.goodhart import add_goodhart_gaps

MARKET = make_market("ad_auction")
KPI = kpis.resolve(MARKET, None)
SPLIT = {
    f"{part}/{name}": value
    for name in ("profit", "revenue", "welfare")
    for part, value in (("mirror", 0.7), ("mirror_low", 0.6), ("mirror_high", 0.9),
                        ("harm", 0.4), ("harm_kpi", 0.25), ("harm_learning", 0.15))
}  # fmt: skip


def evidence(kpi_passes, fundamental_passes, n=MIN_SEEDS, **more):
    """So many seeds without regret in either payoff."""
    regrets = {
        name: [0.0] * passes + [0.1] * (n - passes)
        for name, passes in (("kpi_regret", kpi_passes), ("fundamental_regret", fundamental_passes))
    }
    split = {name: [x] * n for name, x in more.items()}
    return Evidence(MARKET, KPI, regrets | split, n)


@pytest.mark.parametrize(
    ("kpi_passes", "fundamental_passes", "word"),
    [
        (47, 0, "KPI-made"),
        (32, 15, "KPI-made"),  # Wilson: .667 [.525, .783] and .312 [.200, .453]
        (31, 15, "KPI-made"),  # .646 [.504, .766]
        (30, 0, "undecided"),  # .625 [.484, .748]
        (47, 18, "undecided"),  # .375 [.252, .516]
        (0, 0, "learned"),
        (16, 0, "learned"),  # .333 [.216, .475]
        (18, 0, "undecided"),
        (48, 48, "undecided"),  # what KPI and fundamental both ask
    ],
)
def test_words_by_shares_that_pass(kpi_passes, fundamental_passes, word):
    assert kpi_or_learning(evidence(kpi_passes, fundamental_passes)).word == word


@pytest.mark.parametrize(("kpi_passes", "fundamental_passes"), [(48, 48), (31, 31)])
def test_where_both_ask_for_it_there_is_nothing_to_explain(kpi_passes, fundamental_passes):
    shown = ("KPI and fundamental both ask for this play",)
    assert kpi_or_learning(evidence(kpi_passes, fundamental_passes)).qualifiers == shown
    assert kpi_or_learning(evidence(kpi_passes, 30)).qualifiers == ()
    assert kpi_or_learning(evidence(16, 16, n=16)).qualifiers == ()


def test_few_seeds_are_undecided_and_say_what_they_would_be():
    verdict = kpi_or_learning(evidence(16, 0, n=16))
    assert verdict.word == "undecided at n = 16"
    assert "KPI-made" in verdict.missing[0]
    shown = "seeds with a KPI regret of at most .020: 1.000 [.806, 1.000], n = 16"
    assert verdict.evidence[0] == shown


def test_the_split_of_the_harm_stands_beside_the_word():
    lines = kpi_or_learning(evidence(48, 0, **SPLIT)).evidence
    assert (
        "harm in revenue .400 [.400, .400] = .250 by the KPI + .150 by learning; "
        "mirror .700 [.600, .900]"
    ) in lines


def test_seeds_without_a_regret_are_left_out():
    e = Evidence(MARKET, KPI, {"kpi_regret": [np.nan] * MIN_SEEDS}, MIN_SEEDS)
    assert kpi_or_learning(e) is None
    half = evidence(48, 0)
    half.figures["kpi_regret"][::2] = [np.nan] * 24
    assert "n = 24" in kpi_or_learning(half).evidence[0]


def test_the_gap_is_against_the_arm_that_is_paid_the_fundamental(tmp_path):
    """Winning pays besides profit: the arm loses profit against its reference, seed by seed."""
    config = {
        "market": {"name": "ad_auction", "bids": 4, "price_mix": 1},
        "agents": {"bidder": {"name": "q_learning", "discount": 0, "epsilon_decay": 0.001}},
        "arms": {
            "greedy": {"kpi.bidder": {"profit": 1, "win": 0.5}},
            "plain": {},
            "other": {"market.bids": 5, "kpi.bidder": {"profit": 1, "win": 0.5}},
        },
    }
    arms = small(tmp_path, config=config)["arms"]
    own, reference = (arms[a]["measures"]["profit"]["per_seed"] for a in ("greedy", "plain"))
    gap = arms["greedy"]["measures"]["goodhart_gap"]
    assert gap["per_seed"] == pytest.approx(
        [(b - a) / abs(b) for a, b in zip(own, reference, strict=True)]
    )
    assert arms["greedy"]["measures"]["goodhart_gap/welfare"]["mean"] == pytest.approx(0.0)
    assert not any("goodhart_gap" in arms[a]["measures"] for a in ("plain", "other"))
    assert (tmp_path / "ad_auction" / "plain" / "_band" / "mirror_against_learned.png").is_file()


def test_a_run_without_a_reference_has_no_gap():
    arms = load({"market": "ad_auction", "kpi": {"bidder": {"win": 1}}}).arms
    summaries = {"base": {"measures": {}}}
    add_goodhart_gaps(arms, summaries)
    assert summaries == {"base": {"measures": {}}}
