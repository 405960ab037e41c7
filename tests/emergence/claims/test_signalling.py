"""Signalling: closed forms, codes, claims beside prices; exact and counted laws agree."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.policy import deterministic, uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.claims import signalling
from tacit.emergence.claims.channels import channels
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.emergence.registry import PROBES, inapplicable, run_probes
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

CHEAP = make_market("cheap_talk")


def population(market, rules: dict, tables: dict | None = None) -> FrozenPopulation:
    """Scripted seats, some with tables of their own; the rest play at random."""
    own = []
    for seat in market.seats:
        rule = rules.get(seat.name)
        table = uniform(seat.role)
        if rule:
            table = Scripted(ScriptedConfig(rule=rule), market, seat).table()
        own.append((tables or {}).get(seat.name, table))
    return freeze(market, kpis.resolve(market, None), own, seed=0)


def sender(says: list[int]) -> dict:
    return {"sender_0": deterministic(CHEAP.roles[0], np.array([*says, 6]))}


def share_of(**tables) -> float:
    figures = signalling.signalling(population(CHEAP, {}, tables or None))
    assert set(figures) == {"signalling/message", "signalling_offer/message",
                            "signalling_beside/message"}  # fmt: skip
    assert len({round(v, 12) for v in figures.values()}) == 1  # the message is the whole action
    return figures["signalling/message"]


def test_a_code_tells_as_much_as_the_truth_and_noise_tells_nothing():
    assert share_of(**sender([0, 1, 2, 3, 4, 5])) == pytest.approx(1.0)
    assert share_of(**sender([3, 5, 1, 0, 2, 4])) == pytest.approx(1.0)
    assert share_of(**sender([2, 2, 2, 2, 2, 2])) == pytest.approx(0.0, abs=1e-12)
    assert share_of() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("cells", "share"), [([1, 2, 3], 0.564475), ([1, 5], 0.251463)])
def test_cells_tell_their_entropy(cells, share):
    says = [k for k, size in enumerate(cells) for _ in range(size)]
    p = np.array(cells) / 6
    assert share_of(**sender(says)) == pytest.approx(-(p * np.log(p)).sum() / np.log(6))
    assert share_of(**sender(says)) == pytest.approx(share, abs=1e-6)


def test_a_noisy_channel_has_its_textbook_capacity():
    """Two states, the message is right with probability .9: ln 2 - H(.9)."""
    market = make_market("cheap_talk", {"states": 2})
    table = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])
    own = population(market, {}, {"sender_0": table})
    noise = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    share = signalling.signalling(own)["signalling/message"]
    assert share == pytest.approx(1.0 - noise / np.log(2))


# --- claims beside prices ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "claim", "offer", "beside"),
    [("truthful", 1.0, 1.0, 0.0), ("always_bluff", 0.0, 0.0, 0.0), (None, 0.0, 0.0, 0.0)],
)
def test_where_the_price_tells_the_claim_is_babble(rule, claim, offer, beside):
    """A truthful supplier asks the list price exactly if it is scarce: the price says all."""
    found = signalling.signalling(population(make_market("procurement"), {"supplier_0": rule}))
    shares = [found[f"{name}/claim"] for name in ("signalling", "signalling_offer",
                                                  "signalling_beside")]  # fmt: skip
    assert shares == pytest.approx([claim, offer, beside], abs=1e-12)


def test_a_claim_at_one_price_tells_beside_it():
    market = make_market("procurement")
    role = market.roles[0]
    table = Scripted(ScriptedConfig(rule="truthful"), market, market.seats[0]).table()
    for o, stock in ((0, "plenty"), (1, "scarce")):
        assert role.decode_observation(o)["stock"] == stock
        table[o] = 0.0
        table[o, role.encode_action(price=0.8, claim=stock)] = 1.0
    found = signalling.signalling(population(market, {}, {"supplier_0": table}))
    assert found["signalling_beside/claim"] == pytest.approx(1.0)


def test_observation_frequencies_are_exact_where_all_is_drawn_and_else_counted():
    market = make_market("procurement", {"suppliers": 2, "scarcity": [0.2, 0.5]})
    for channel, scarce in zip(channels(market), (0.2, 0.5), strict=True):
        law, exact = signalling.observation_frequency(population(market, {}), channel)
        assert exact
        assert law == pytest.approx([1 - scarce, scarce])
    keys = {"urgency": {}, "brief": True, "lead_times": [0, 2, 2], "scarcity": 0.3}
    heard = make_market("procurement", keys)
    everybody = population(heard, {"supplier_0": "truthful", "buyer_0": "truthful"})
    by_claim = {
        c.claim.part: signalling.observation_frequency(everybody, c) for c in channels(heard)
    }
    assert {name: exact for name, (_, exact) in by_claim.items()} == {
        "claim": False, "promise": False, "stated_urgency": True
    }  # fmt: skip
    counted = by_claim["claim"][0].reshape(2, 2, 2)  # stated urgency, stock, lead
    urgent = heard.config.urgency.probability
    expected = np.multiply.outer([1 - urgent, urgent], np.outer([0.7, 0.3], [1 / 3, 2 / 3]))
    assert counted == pytest.approx(expected, abs=0.02)
    figures = signalling.signalling(everybody)
    assert figures["signalling/promise"] == pytest.approx(1.0)
    assert figures["signalling/stated_urgency"] == pytest.approx(1.0)


def test_a_truth_that_is_no_news_has_no_share():
    market = make_market("procurement", {"scarcity": 1.0})
    found = signalling.signalling(population(market, {}))
    assert np.isnan([*found.values()]).all()


def test_where_nothing_is_claimed_the_reason_is_named():
    market = make_market("ad_auction")
    kpi = kpis.resolve(market, None)
    assert "nobody claims anything in ad_auction" in inapplicable(market, kpi)["signalling"]
    assert not any(name.startswith("signalling") for name in run_probes(population(market, {})))
    assert PROBES["signalling"].applies(CHEAP, kpis.resolve(CHEAP, None))
