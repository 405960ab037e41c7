"""Policies in sentences: scripted players read as what they are."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.policy import deterministic, uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.play.visits import visits
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.training.show.policy_table_text import range_text, table_lines
from tacit.training.show.policy_text import policy_sentences

SEEN = {"observe": "bids"}


def population(name: str, config: dict, rules: dict) -> FrozenPopulation:
    """Scripted seats; those without a rule play at random."""
    market = make_market(name, config)
    tables = [
        Scripted(ScriptedConfig(rule=rules[seat.name]), market, seat).table()
        if seat.name in rules
        else uniform(seat.role)
        for seat in market.seats
    ]
    return freeze(market, kpis.resolve(market, None), tables, seed=0)


def sentences(name: str, config: dict, rules: dict, seat: str) -> list[str]:
    made = population(name, config, rules)
    return policy_sentences(made, made.market.seat(seat))


def everybody(rule: str, seats: int = 2) -> dict:
    return {f"bidder_{i}": rule for i in range(seats)}


# --- rivals --------------------------------------------------------------------------------------

CUT = "After bidder_1 raises its bid from 0.05 to 0.1 for one round, it"
RIVALS = [
    ("tit_for_tat", [
        "After both at 0.05 it stays.",
        f"{CUT} raises its own to 0.95 (instead of 0.05) and does not come back: it goes on "
        "0.05, 0.95, 0.05, 0.95, ...",
    ]),
    ("grim_trigger", [
        "After both at 0.05 it stays.",
        f"{CUT} raises its own to 0.95 (instead of 0.05) and does not come back: it ends at 0.95.",
    ]),
    ("win_stay_lose_shift", [
        "After both at 0.05 it stays.",
        f"{CUT} raises its own to 0.95 (instead of 0.05) and comes back in 2 rounds.",
    ]),
    ("collusive", ["After both at 0.05 it stays.", f"{CUT} does not react."]),
    ("competitive", [
        "After both at 0.95 it stays.",
        "After bidder_1 cuts its bid from 0.95 to 0.9 for one round, it does not react.",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "lines"), RIVALS)
def test_rivals_read_as_what_they_are(rule, lines):
    assert sentences("ad_auction", SEEN, everybody(rule), "bidder_0") == lines


def test_one_that_answers_beside_one_that_does_not():
    rules = {"bidder_0": "tit_for_tat", "bidder_1": "collusive"}
    assert sentences("ad_auction", SEEN, rules, "bidder_0") == [
        "After both at 0.05 it stays.",
        f"{CUT} raises its own to 0.95 (instead of 0.05) and comes back in 2 rounds.",
    ]


@pytest.mark.slow
def test_every_rival_is_named_up_to_three():
    rules = {"bidder_0": "tit_for_tat"} | {f"bidder_{i}": "collusive" for i in range(1, 5)}
    lines = sentences("ad_auction", {"observe": "bids", "bids": 3, "bidders": 5}, rules, "bidder_0")
    assert [line.split()[1] for line in lines[1:-1]] == ["bidder_1", "bidder_2", "bidder_3"]
    assert all("raises its own to 0.75 (instead of 0.25)" in line for line in lines[1:-1])
    assert lines[-1] == "(What it answers others than these 3 is not told.)"
    two = sentences("ad_auction", SEEN | {"bidders": 3}, everybody("tit_for_tat", 3), "bidder_0")
    assert [line.split()[1] for line in two[1:]] == ["bidder_1", "bidder_2"]


@pytest.mark.slow
def test_a_cycle_is_shown_round_by_round():
    config = SEEN | {"bidders": 3}
    first, *_ = sentences("ad_auction", config, everybody("rotation", 3), "bidder_0")
    assert first.startswith("In the end it goes round in 3 rounds: bid 0.")
    assert sorted(first.partition("bid ")[2].partition(" (")[0].split(", ")) == [
        "0.05", "0.05", "0.1"
    ]  # fmt: skip


# --- private values, publishers ------------------------------------------------------------------


def test_bids_by_value():
    config = {"value": {"kind": "list", "values": [0.5, 1]}, "bids": 9}
    lines = sentences("ad_auction", config, everybody("competitive"), "bidder_0")
    assert lines[0].startswith("It comes to no cycle. Its bid is about 0.")
    assert lines[1] == (
        "(What it answers a rival's move is not told: seats of ad_auction see different things "
        "here.)"
    )
    assert lines[2:] == [
        "By value, its bid is 0.5 at 0.5, 0.9 at 1.",
        "That is 5% below its value on average.",
    ]


def test_a_seat_without_rivals_is_described_by_what_it_meets():
    assert sentences(
        "ad_auction", {"publisher": True}, everybody("competitive"), "publisher_0"
    ) == ["In floor, whatever it meets: any of 20, all equally likely."]


# --- claims, buyers ------------------------------------------------------------------------------


def test_a_bluffing_and_a_truthful_supplier():
    assert sentences("procurement", {}, {"supplier_0": "always_bluff"}, "supplier_0")[:2] == [
        "When its stock is plenty or scarce: price 0.8, claim scarce.",
        "Taken literally, its claim is not true 80% of the time; it tells 0% of what it knows.",
    ]
    assert sentences("procurement", {}, {"supplier_0": "truthful"}, "supplier_0") == [
        "When its stock is plenty: price 0.4, claim plenty.",
        "When its stock is scarce: price 0.8, claim scarce.",
        "Taken literally, its claim is not true 0% of the time; it tells 100% of what it knows.",
        "In answer, whatever it meets: accept.",
    ]


def test_of_a_truth_that_never_occurs_nothing_is_said():
    """Every buyer is urgent, and so it tells nothing that is not known."""
    keys = {"brief": True, "counters": False, "scarcity": 0, "urgency": {"probability": 1}}
    lines = sentences("procurement", keys, {"buyer_0": "truthful"}, "buyer_0")
    assert lines[:2] == [
        "When its urgency is urgent: stated urgency urgent.",
        "Taken literally, its stated urgency is not true 0% of the time.",
    ]
    assert not any(line.startswith("When its urgency is calm") for line in lines)


def test_a_bluff_has_its_probability():
    """H(t) = .500; H(m) = .686, H(t, m) = .989: I(t; m) = .197, 39 % of H(t)."""
    made = population("procurement", {}, {"buyer_0": "trusting"})
    role, supplier = made.market.roles[0], made.tables[0]
    first, count = role.legal[0]
    for o, chances in ((0, {"plenty": 0.7, "scarce": 0.3}), (1, {"scarce": 1.0})):
        supplier[o, first : first + count] = 0.0
        for claim, p in chances.items():
            supplier[o, role.encode_action(price=0.8, claim=claim)] = p
    assert policy_sentences(made, made.market.seats[0])[:3] == [
        "When its stock is plenty: price 0.8, claim plenty (70%) or price 0.8, claim scarce (30%).",
        "When its stock is scarce: price 0.8, claim scarce.",
        "Taken literally, its claim is not true 24% of the time; it tells 39% of what it knows.",
    ]


def test_a_buyer_is_described_by_what_it_takes():
    config = {"prices": [0.4, 0.8], "value": 0.6}
    rules = {"supplier_0": "truthful", "buyer_0": "trusting"}
    lines = sentences("procurement", config, rules, "buyer_0")
    heads = [line.partition(" (")[0] for line in lines]
    assert heads == [
        "In respond, after price_0 0.4, claim_0 plenty",
        "In respond, after price_0 0.8, claim_0 scarce",
    ]
    assert [line.rpartition(": ")[2] for line in lines] == ["accept supplier_0.", "walk."]
    shares = [int(line.partition(" (")[2].partition("%")[0]) for line in lines]
    assert abs(shares[0] - 80) <= 2
    assert sum(shares) == 100


def test_codes_are_shown_as_codes():
    made = population("cheap_talk", {}, {})
    made.tables[0][:] = deterministic(made.market.roles[0], np.array([4, 4, 1, 1, 1, 0, 6]))
    assert policy_sentences(made, made.market.seats[0]) == [
        "When its state is 0 or 0.2: message 0.8.",
        "When its state is 0.4, 0.6 or 0.8: message 0.2.",
        "When its state is 1: message 0.",
        "Taken literally, its message is not true 100% of the time; it tells 56% of what it knows.",
    ]


def test_visits_are_counted_once_a_round_and_phase():
    made = population("procurement", {"suppliers": 2}, {"supplier_0": "truthful"})
    for seat, count in zip(made.market.seats, visits(made), strict=True):
        phases = [made.market.role(seat.role.name).decode_observation(o)["phase"]
                  for o in range(len(count))]  # fmt: skip
        per_phase = np.bincount(phases, count, minlength=3)
        assert per_phase == pytest.approx([1.0, 1.0, 1.0])
    stock = visits(made)[0][:2]
    assert stock == pytest.approx([0.8, 0.2], abs=0.02)


def test_lines_of_a_table_name_one_observation_or_the_ends_of_several():
    """Neighbours that do the same share a line."""
    role = make_market("ad_auction", {"observe": "price", "bids": 6}).roles[0]
    acts = [0, 1, 1, 2, 2, 2, 0]
    assert role.observations == len(acts)
    lines = table_lines(role, deterministic(role, acts))
    assert lines == [
        "after last price none: bid .14",
        "after last price .14-.29: bid .29",
        "after last price .43-.71: bid .43",
        "after last price .86: bid .14",
    ]
    blind = make_market("ad_auction", {"bids": 6}).roles[0]
    assert table_lines(blind, deterministic(blind, [3])) == ["always: bid .57"]


def test_parts_on_which_nothing_depends_are_not_named():
    """Two rivals' last bids: only the first one matters, and there only whether it is low."""
    role = make_market("ad_auction", {**SEEN, "bids": 4}).roles[0]
    *_, first, second = role.blocks[0].sees
    acts = [0 if k < 2 else 3 for k in range(len(first.values)) for _ in second.values]
    lines = table_lines(role, deterministic(role, acts))
    names = [part.name.replace("last_bid", "last bid") for part in (first, second)]
    assert [line.count(names[0]) for line in lines] == [1, 1]
    assert not any(names[1] in line for line in lines)


def test_every_observation_is_in_exactly_one_line_of_a_table():
    """At random the lines are as many as observations with a choice, less equal neighbours."""
    role = make_market("ad_auction", {**SEEN, "bids": 4}).roles[0]
    sizes = [len(part.values) for part in role.blocks[0].sees if len(part.values) > 1]
    acts = [k % 4 for k in range(role.observations)]  # no two neighbours are alike
    assert len(table_lines(role, deterministic(role, acts))) == sizes[0] * sizes[1]
    assert table_lines(role, deterministic(role, [2] * role.observations)) == ["always: bid .6"]


@pytest.mark.parametrize(
    ("values", "where", "text"),
    [
        ((0.05, 0.1, 0.15), [0, 1], ".05-.10"),
        (("none", 0.05, 0.1), [0, 1, 2], "none or .05-.10"),
        (("none", 0.05, 0.1), [0, 2], "none or .10"),
        ((1, 2, 3), [1, 2], "2-3"),
        ((0.0, 0.5, 1.0), [0, 1, 2], "0-1.0"),
        ((-0.5, 0.0, 0.5), [0, 1], "-.5 to 0"),
        (("plenty", "scarce"), [1], "scarce"),
        ((1.4248, 1.4637, 1.5025), [0, 1], "1.42-1.46"),
        ((10.0, 20.0), [0], "10"),
    ],
)
def test_ranges_as_a_person_reads_them(values, where, text):
    assert range_text(values, where) == text
