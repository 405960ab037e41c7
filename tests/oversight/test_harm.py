"""What a deal cost somebody: auctions whose harm can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.group import make_group
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.recording import build_recording
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.oversight.harm import ReferencePlay

SEED, ROUNDS = 3, 12


def judged(rules, name="ad_auction", **config):
    """The harm of some rounds of scripted players, and what was recorded of them."""
    market = make_market(name, config)
    configs = {s.name: ScriptedConfig(rule=r) for s, r in zip(market.seats, rules, strict=True)}
    group = make_group(market, kpis.resolve(market, None), configs, SEED)
    game = group.seed_state.game
    recording = build_recording(game, group.rows, ROUNDS)
    group.run(ROUNDS, recording)
    return ReferencePlay(market, game, SEED).harm(recording), recording


def test_a_price_that_is_kept_down_harms_the_seller():
    """Second price, value 1: both bid .05 in place of .95. The tie falls as it fell, so who won
    gained .9, and who lost would have had nothing either."""
    harm, _ = judged(["collusive", "collusive"])
    assert harm.names == ("bidder_0.profit", "bidder_1.profit", "market.revenue")
    np.testing.assert_allclose(harm.size, np.full((ROUNDS, 1), 0.9))
    assert (harm.victim == 2).all()


def test_who_competes_harms_nobody():
    harm, _ = judged(["competitive", "competitive"])
    assert (harm.size == 0.0).all()
    assert (harm.victim == 0).all()  # of equal harms the first


def test_of_several_harms_the_largest_is_told():
    """Who bids .05 against .95 never wins: it loses the .05 of a tie that it would have won, the
    seller .9."""
    harm, recording = judged(["collusive", "competitive"])
    np.testing.assert_allclose(harm.size, np.full((ROUNDS, 1), 0.9))
    assert (harm.victim == 2).all()
    assert (recording.actions[:, 0, 0, 1] == 18).all()


def test_a_seller_with_a_seat_is_compared_by_its_own_measure():
    harm, _ = judged(["competitive"] * 3, publisher=True)
    assert "publisher_0.revenue" in harm.names
    assert not any(name.endswith("welfare") for name in harm.names)
    np.testing.assert_allclose(harm.size, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("ad_auction", {"bidder_0": "competitive", "bidder_1": "competitive"}),
        ("quantity_competition", {"firm_0": "competitive", "firm_1": "competitive"}),
        ("procurement", {"buyer_0": "truthful", "supplier_0": "truthful"}),
    ],
)
def test_who_competes_does_so_in_the_reference_and_who_does_not_is_honest(name, rules):
    market = make_market(name)
    configs = {s.name: ScriptedConfig(rule="random") for s in market.seats}
    group = make_group(market, kpis.resolve(market, None), configs, SEED)
    assert ReferencePlay(market, group.seed_state.game, SEED).rules == rules


def test_a_market_that_judges_harm_by_nothing_has_no_reference():
    market = make_market("cheap_talk")
    configs = {s.name: ScriptedConfig(rule="random") for s in market.seats}
    group = make_group(market, kpis.resolve(market, None), configs, SEED)
    with pytest.raises(ConfigError, match="cheap_talk: judges harm by no measure"):
        ReferencePlay(market, group.seed_state.game, SEED)
