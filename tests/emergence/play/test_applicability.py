"""Why a probe does not run: what the market would have to declare is named."""

from __future__ import annotations

import numpy as np
import pytest
from support.toy_markets.rules_only import RulesOnly

from tacit.emergence.claims.counterfactual import Listener
from tacit.emergence.claims.influence import causal_influence, heeded
from tacit.emergence.coalition.leadership import why_no_leadership
from tacit.emergence.coalition.revealed_weights import why_no_weights
from tacit.emergence.coalition.rotation import why_no_rotation
from tacit.emergence.collusion.index import why_no_index
from tacit.emergence.objective.harm import why_no_harm_split, why_no_mirror
from tacit.emergence.objective.regret import why_no_regret
from tacit.emergence.play.applicability import why_no_chain, why_no_deviations, why_no_stage_game
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

NEEDS = {
    why_no_chain: "expected",
    why_no_deviations: "conduct",
    why_no_harm_split: "draws",
    why_no_index: "expected",
    why_no_leadership: "conduct",
    why_no_mirror: "draws",
    why_no_regret: "draws, memoryless",
    why_no_rotation: "wins",
    why_no_weights: "draws, memoryless",
}


@pytest.mark.parametrize("why", NEEDS, ids=lambda f: f.__name__)
def test_a_market_without_an_analysis_is_told_what_the_probe_needs(why):
    market = RulesOnly()
    reason = why(market, kpis.resolve(market, None))
    assert reason.startswith(f"{market.name} declares no Analysis (")
    assert reason.endswith(f"; this probe needs its {NEEDS[why]}")


SINGLE_ROUNDS = (why_no_harm_split, why_no_mirror, why_no_regret, why_no_weights)


@pytest.mark.parametrize("why", SINGLE_ROUNDS, ids=lambda f: f.__name__)
def test_where_a_round_binds_the_next_no_round_is_a_game_of_its_own(why):
    keys = {"timing": "alternating", "demand": "linear", "price_range": [1, 2.2], "prices": 3}
    market = make_market("cloud_bandwidth", keys)
    reason = why(market, kpis.resolve(market, None))
    assert reason.startswith("what was done in one round of cloud_bandwidth binds the next one")
    auction = make_market("ad_auction", {"bids": 3, "bidders": 3})
    assert why(auction, kpis.resolve(auction, None)) is None
    assert why_no_stage_game(auction, "draws") is None


# --- who cannot be influenced --------------------------------------------------------------------


def test_who_never_has_a_choice_is_not_influenced_and_one_word_tells_nothing():
    table = np.array([[1.0, 0.0], [0.0, 1.0]])
    observations = np.array([[[0], [1]]])
    never = Listener(1, observations, np.zeros((1, 2, 1)))
    both = np.array([[0.5, 0.5]])
    assert np.isnan(heeded(table, both, never))
    assert np.isnan(causal_influence(table, both, never))
    always = Listener(1, observations, np.ones((1, 2, 1)))
    assert heeded(table, np.array([[1.0, 0.0]]), always) == 0.0
    # Two words, each answered in its own way: all that is said, log 2, shows.
    assert heeded(table, both, always) == pytest.approx(1.0)
    assert causal_influence(table, both, always) == pytest.approx(np.log(2))
    unequal = np.array([[0.25, 0.75]])
    half = np.array([[1.0, 0.0], [0.5, 0.5]])
    # p(a): 5/8, 3/8
    found = 0.25 * np.log(8 / 5) + 0.75 * 0.5 * (np.log(0.5 * 8 / 5) + np.log(0.5 * 8 / 3))
    assert causal_influence(half, unequal, always) == pytest.approx(found)
    said = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert heeded(half, unequal, always) == pytest.approx(found / said)
