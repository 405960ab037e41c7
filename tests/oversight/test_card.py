"""The incentive card: every heading is filled, or says that it is empty; whose data a seat sees."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tacit.emergence.registry import CONTROLS, PROBES
from tacit.envs import kpi as kpis
from tacit.envs.registry import MARKETS, make_market
from tacit.oversight import card as cards
from tacit.oversight.card import build_card, changes, policy_hashes, terms_hash
from tacit.oversight.observed_data import OWN, RIVAL, UNDECLARED, observed_data, source_of

HEADINGS = [
    "form", "wording", "kpi_hash", "validated_by", "owner", "seats", "known_ways_to_game_it",
    "oversight_metrics", "update_triggers", "recourse", "limitations", "changelog", "policies",
    "observes",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(MARKETS))
def test_every_market_has_a_card(name):
    market = make_market(name)
    table = kpis.resolve(market, None)
    card = build_card(market, table, 48)
    assert list(card) == HEADINGS
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    assert card["kpi_hash"] == kpis.kpi_hash(table)
    assert set(card["seats"]) == set(card["observes"]) == {seat.name for seat in market.seats}
    assert all(own["uses_rivals_data"].startswith(("yes, because", "no, because", "cannot be told"))
               for own in card["observes"].values())  # fmt: skip
    assert "compliant" not in json.dumps(card).lower()
    assert "neither a conformity assessment nor legal advice" in card["wording"]
    applies = {p.name for p in (*PROBES.values(), *CONTROLS.values()) if p.applies(market, table)}
    metrics = card["oversight_metrics"]
    assert set(metrics) == applies if applies else metrics.startswith("empty: ")


def test_headings_that_are_empty_say_so():
    market = make_market("ad_auction")
    card = build_card(market, kpis.resolve(market, None), 2)
    for heading in ("owner", "known_ways_to_game_it", "update_triggers", "changelog", "policies"):
        assert card[heading].startswith("empty: "), heading
    assert card["known_ways_to_game_it"] == "empty: not examined: run tacit lint"
    assert card["validated_by"] is None
    assert "Ctrl-C" in card["recourse"]
    assert "overrides a deal of a seed that is held" in card["recourse"]
    assert any(line.startswith("2 repetitions") for line in card["limitations"])


def test_what_is_known_stands_in_its_heading():
    market = make_market("ad_auction")
    table = kpis.resolve(market, None)
    policies = {"s0": {"bidder_0": "x", "bidder_1": "x"}, "s1": {"bidder_0": "y", "bidder_1": "x"}}
    card = build_card(
        market, table, 48, known_ways=["bid 0"], policies=policies,
        changelog=[{"from": "nothing", "to": "a"}], validated={"by": "alice", "owner": "bob"},
    )  # fmt: skip
    assert card["known_ways_to_game_it"] == ["bid 0"]
    held = {"x": ["s0/bidder_0", "s0/bidder_1", "s1/bidder_1"], "y": ["s1/bidder_0"]}
    assert card["policies"]["held_by"] == held
    assert card["policies"]["count"] == "2 policies, 1 of them held by more than one seat"
    assert card["owner"] == "bob"


def test_the_hash_of_a_card_s_terms_is_the_kpi_hash():
    market = make_market("ad_auction")
    table = kpis.resolve(market, {"bidder": {"profit": 1, "price_change": -0.25}})
    card = build_card(market, table, 1)
    assert terms_hash({s: own["terms"] for s, own in card["seats"].items()}) == card["kpi_hash"]


def test_policies_are_hashed_by_shape_and_bits():
    seats = make_market("ad_auction").seats[:2]
    one, other = np.eye(3), np.eye(3)
    assert len(set(policy_hashes(seats, [one, other]).values())) == 1
    other[0, 0] = np.nextafter(1.0, 0.0)
    assert len(set(policy_hashes(seats, [one, other]).values())) == 2
    assert len(set(policy_hashes(seats, [np.zeros((2, 3)), np.zeros((3, 2))]).values())) == 2


def test_the_changelog_is_made_of_the_ledger():
    def started(n, **hashes):
        return {"n": n, "time": f"t{n}", "act": "training started", "kpi_hashes": hashes}

    entries = [started(0, a="x"), {"act": "training finished"}, started(2, a="x", b="z"),
               started(3, b="z"), started(4, a="y"), {"act": "training started"}]  # fmt: skip
    log = changes(entries, "a")
    assert [(e["from"], e["to"], e["since"]) for e in log] == [
        ("nothing", "x", "t0"),
        ("x", "y", "t4"),
    ]
    assert changes(entries, "c") == []
    assert "entry 4" in log[1]["re-tested"]


# --- whose data ----------------------------------------------------------------------------------


def sources(name, config, seat):
    market = make_market(name, config)
    found = market.seat(seat)
    parts = {part.name: part for part in found.role.observation_parts}
    return {part: source_of(market, found, parts[part]) for part in parts if part != "phase"}


def test_last_round_s_bids_of_rivals_are_rivals_data():
    found = sources("ad_auction", {"observe": "bids", "bidders": 3}, "bidder_1")
    assert [found[f"last_bid_{i}"].whose for i in range(3)] == [RIVAL, OWN, RIVAL]
    assert {found[f"last_bid_{i}"].age for i in range(3)} == {"1 round"}
    own = observed_data(make_market("ad_auction", {"observe": "bids", "bidders": 3}))["bidder_1"]
    assert own["uses_rivals_data"] == "yes, because it sees last_bid_0, last_bid_2"


def test_what_a_claim_is_about_is_private():
    found = sources("cheap_talk", {}, "sender_0")
    assert (found["state"].whose, found["state"].seen_by) == (OWN, "private")
    heard = sources("cheap_talk", {}, "receiver_0")["message"]
    assert heard.whose == "another role's"
    assert heard.age.startswith("0 rounds")


def test_a_price_of_two_rounds_ago_is_dated_by_its_words():
    found = sources("cloud_bandwidth", {"memory": 2}, "provider_0")
    assert found["earlier_price_1"].age == "2 rounds, by its words"
    assert found["earlier_price_1"].whose == RIVAL


def test_what_is_not_declared_is_said_to_be_so():
    found = sources("ad_auction", {"observe": "price"}, "bidder_0")["last_price"]
    assert set(found) == {UNDECLARED}
    own = observed_data(make_market("ad_auction", {"observe": "price"}))["bidder_0"]
    assert own["uses_rivals_data"].startswith("cannot be told, because the market does not declare")


def test_a_constant_tells_nothing():
    found = sources("quantity_competition", {"monitoring": "none"}, "firm_0")["memory"]
    assert found.whose == "a constant"
    own = observed_data(make_market("quantity_competition", {"monitoring": "none"}))["firm_0"]
    assert own["uses_rivals_data"].startswith("no, because")


def test_the_wording_is_the_one_that_was_agreed():
    assert cards.WORDING == (
        "fields modelled on articles 12-14 of the EU AI Act and articles 5-18 of RTS 6; this is "
        "neither a conformity assessment nor legal advice"
    )
