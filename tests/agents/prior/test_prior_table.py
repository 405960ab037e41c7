"""A prior as a policy table: rows by hand, what has no data, what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tacit.agents.policy import mask
from tacit.agents.prior import checked_prior, full_support, prior_table
from tacit.agents.prior.config import PriorConfig
from tacit.agents.prior.prior_table import ASSUMPTION, FIGURE, NO_CHOICE, NO_DATA
from tacit.agents.registry import make_config
from tacit.agents.table_policy import TablePolicy
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market


def rate(count: int, n: int, **more):
    share = count / n
    return {
        "value": share, "low": share, "high": share, "count": count, "n": n, "source": "made_up",
        **more,
    }  # fmt: skip


SOURCES = {
    "made_up": {"citation": "nobody", "address": "nowhere", "licence": "none", "changes": "none"}
}
SELLER = {
    "form": "tacit prior 1", "title": "a seller", "market": "procurement", "role": "supplier",
    "figures": {"false_claim": rate(1, 8)}, "sources": SOURCES,
}  # fmt: skip
BUYER = {
    **SELLER, "title": "a buyer", "role": "buyer", "figures": {"suspicion": rate(1, 4)},
    "acceptance": [rate(1, 16, least_share=0.0), rate(1, 2, least_share=0.4),
                   rate(7, 8, least_share=0.6)],
}  # fmt: skip
LIMITS = {"says_final": rate(1, 10), "false_final": rate(3, 10)}


def changed(prior, **keys):
    found = copy.deepcopy(prior)
    for key, value in keys.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] |= value
        else:
            found[key] = value
    return found


def table_of(values, seat, smoothing=0.0, **market):
    return prior_table(
        checked_prior(values, "PRIOR"), make_market("procurement", market), seat, smoothing
    )


def at(found, **seen):
    """What is done at the only row that shows all of `seen`: parts of actions -> probability."""
    rows = []
    for o in np.flatnonzero(found.role.legal[:, 1] > 1):
        shown = found.role.decode_observation(int(o))
        shown["answers"] = "counter" in shown
        if all(shown.get(name) == value for name, value in seen.items()):
            rows.append(int(o))
    assert len(rows) == 1, (seen, rows)
    row = found.table[rows[0]]
    return {
        tuple(found.role.decode_action(int(a)).values()): pytest.approx(row[a])
        for a in np.flatnonzero(row)
    }


# --- the supplier ---------------------------------------------------------------------------------


def test_a_supplier_lies_about_plenty_with_b0_and_tells_the_truth_else():
    found = table_of(SELLER, "supplier_0")
    assert at(found, stock="plenty", answers=False) == {
        (0.8, "scarce"): 1 / 8,
        (0.4, "plenty"): 7 / 8,
    }
    assert at(found, stock="scarce", answers=False) == {(0.8, "scarce"): 1}
    assert at(found, counter=0.4) == {("accept",): 1}


def test_prices_are_assumed_and_can_be_assumed_otherwise():
    assumed = {"price_if_plenty": "any", "price_if_scarce": "lowest"}
    found = table_of(changed(SELLER, assumptions=assumed), "supplier_0")
    assert at(found, stock="plenty", answers=False) == {
        (0.4, "scarce"): 1 / 8, (0.4, "plenty"): 7 / 16, (0.8, "plenty"): 7 / 16,
    }  # fmt: skip


def test_a_promise_is_a_statement_of_fact_and_a_clause_has_no_data():
    keys = {"scarcity": 0, "lead_times": [1, 2, 5], "clause": {}, "prices": [0.4, 0.8]}
    found = table_of(SELLER, "supplier_0", **keys)
    assert found.without_data == ("clause",)
    assert at(found, lead=5, answers=False) == {
        (0.4, days, clause): p / 2
        for days, p in ((5, 7 / 8), (2, 1 / 16), (1, 1 / 16))
        for clause in ("kept", "dropped")
    }
    assert {days for _, days, _ in at(found, lead=1, answers=False)} == {1}


def test_a_counter_below_cost_is_refused():
    found = table_of(SELLER, "supplier_0", cost=0.5, prices=[0.4, 0.8])
    assert at(found, counter=0.4) == {("refuse",): 1}
    # The lowest price above its own cost is what it asks with plenty.
    assert (0.8, "plenty") in at(found, stock="plenty", answers=False)


def test_final_prices_of_a_supplier():
    known = table_of(changed(SELLER, figures=LIMITS), "supplier_0", final=True, scarcity=0)
    assert at(known, answers=False) == {(0.4, "final"): 1 / 10, (0.4, "open"): 9 / 10}
    answer = {"counter": 0.4, "own_price": 0.8, "counter_final": "open"}
    assert at(known, **answer, own_final="final") == {("accept",): 0.3, ("refuse",): 0.7}
    assert at(known, **answer, own_final="open") == {("accept",): 1}
    unknown = table_of(SELLER, "supplier_0", final=True, scarcity=0)
    assert unknown.without_data == ("final",)
    assert at(unknown, answers=False) == {(0.4, "final"): 0.5, (0.4, "open"): 0.5}
    assert at(unknown, **answer, own_final="final") == {("accept",): 0.5, ("refuse",): 0.5}
    assert np.sum(unknown.rows == NO_DATA) == 2  # such a counter, open or final


# --- the buyer ------------------------------------------------------------------------------------


def test_a_buyer_believes_that_stock_is_scarce_with_its_trust():
    found = table_of(BUYER, "buyer_0")
    accept, counter = ("accept supplier_0",), ("counter supplier_0 at 0.4",)
    assert at(found, price_0=0.8, claim_0="scarce") == {accept: 3 / 4, counter: 1 / 4}
    # Shares of the surplus: (1 - .8) / 1 = .2 and (1 - .4) / 1 = .6.
    assert at(found, price_0=0.8, claim_0="plenty") == {accept: 1 / 16, counter: 15 / 16}
    assert at(found, price_0=0.4, claim_0="plenty") == {accept: 7 / 8, ("walk",): 1 / 8}
    assert at(found, price_0=0.4, claim_0="scarce") == {accept: 3 / 4, ("walk",): 1 / 4}


def test_counters_are_uniform_below_the_ask_or_as_assumed():
    keys = {"prices": [0.1, 0.3, 0.9], "scarcity": 0, "cost": 0.2}
    counters = {
        "any": {0.1: 0.5, 0.3: 0.5}, "lowest": {0.3: 1}, "next": {0.3: 1},
    }  # fmt: skip
    for word, shares in counters.items():
        prior = changed(BUYER, assumptions={"counter_price": word})
        row = at(table_of(prior, "buyer_0", **keys), price_0=0.9)
        # (1 - .9) / (1 - .2) = .125
        assert row == {
            ("accept supplier_0",): 1 / 16,
            **{(f"counter supplier_0 at {p:g}",): 15 / 16 * q for p, q in shares.items()},
        }


def test_no_price_above_the_value_is_taken():
    found = table_of(BUYER, "buyer_0", value=0.7, counters=False)
    assert at(found, price_0=0.8, claim_0="scarce") == {("walk",): 1}


def test_the_cheapest_of_several_offers_is_answered_and_ties_are_split():
    found = table_of(BUYER, "buyer_0", suppliers=2, scarcity=0, counters=False)
    assert at(found, price_0=0.8, price_1=0.4) == {("accept supplier_1",): 7 / 8, ("walk",): 1 / 8}
    assert at(found, price_0=0.4, price_1=0.4) == {
        ("accept supplier_0",): 7 / 16, ("accept supplier_1",): 7 / 16, ("walk",): 1 / 8,
    }  # fmt: skip


def test_a_brief_without_a_figure_has_no_data():
    keys = {"urgency": {}, "brief": True, "counters": False, "scarcity": 0}
    found = table_of(BUYER, "buyer_0", **keys)
    assert at(found, phase=0, urgency="urgent") == {("calm",): 0.5, ("urgent",): 0.5}
    assert list(found.rows[:2]) == [NO_DATA, NO_DATA]
    told = table_of(changed(BUYER, figures={"false_claim": rate(1, 8)}), "buyer_0", **keys)
    assert at(told, phase=0, urgency="urgent") == {("calm",): 1 / 8, ("urgent",): 7 / 8}
    assert at(told, phase=0, urgency="calm") == {("calm",): 1}


def test_final_prices_of_a_buyer():
    found = table_of(changed(BUYER, figures=LIMITS), "buyer_0", final=True, scarcity=0)
    # A final ask says that haggling is in vain, as scarce stock does.
    assert at(found, price_0=0.8, final_0="final") == {
        ("accept supplier_0",): 3 / 4,
        ("counter supplier_0 at 0.4",): 9 / 40,
        ("counter supplier_0 at 0.4, final",): 1 / 40,
    }
    assert at(found, ask=0.8, own_word="broken") == {("take",): 0.3, ("leave",): 0.7}
    assert at(found, ask=0.8, own_word="kept") == {("take",): 1 / 16, ("leave",): 15 / 16}


# --- what rows rest on, and mass ------------------------------------------------------------------


def test_rows_say_what_they_rest_on():
    found = table_of(SELLER, "supplier_0")
    kinds = dict.fromkeys(found.rows.tolist())
    assert set(kinds) == {NO_CHOICE, FIGURE, ASSUMPTION}
    assert "2 from figures, 2 assumed, 0 no data" in found.summary()


EVERY_CONFIG = [
    {}, {"final": True}, {"suppliers": 2, "prices": [0.2, 0.5, 0.9]},
    {"lead_times": [0, 2, 3], "clause": {}, "urgency": {}, "brief": True, "final": True},
]  # fmt: skip


@pytest.mark.parametrize("keys", EVERY_CONFIG, ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.01, 1.0])
@pytest.mark.parametrize(("prior", "seat"), [(SELLER, "supplier_0"), (BUYER, "buyer_0")])
def test_every_row_is_a_distribution_over_legal_actions(prior, seat, smoothing, keys):
    found = table_of(prior, seat, smoothing, **keys)
    legal = mask(found.role)
    assert np.all(found.table >= 0)
    assert np.all(found.table[~legal] == 0)
    np.testing.assert_allclose(found.table.sum(axis=1), 1, rtol=0, atol=1e-12)
    least = smoothing / found.role.legal[:, 1]
    assert np.all(found.table[legal] >= np.repeat(least, found.role.legal[:, 1]) - 1e-15)
    if smoothing == 1.0:
        np.testing.assert_allclose(found.table[legal], np.repeat(least, found.role.legal[:, 1]))


def test_smoothing_mixes_with_the_uniform_row():
    found = table_of(SELLER, "supplier_0", smoothing=0.2)
    assert at(found, counter=0.4) == {("accept",): 0.9, ("refuse",): 0.1}


def test_a_table_with_zeros_is_no_anchor():
    with pytest.raises(ConfigError) as told:
        full_support(table_of(SELLER, "supplier_0"), "agents.supplier_0.anchor")
    (line,) = told.value.mistakes
    assert line.startswith("agents.supplier_0.anchor: 7 legal actions of a supplier have no mass")
    assert "{'price': 0.4, 'claim': 'scarce'}" in line
    assert "smoothing" in line
    full_support(table_of(SELLER, "supplier_0", smoothing=1e-6), "agents.supplier_0.anchor")


# --- the agent ------------------------------------------------------------------------------------


def test_the_agent_plays_the_table_round_by_round():
    """Frequencies of a seat that plays a prior are the prior's."""
    market = make_market("procurement", {"scarcity": 0.5})
    config = PriorConfig(content=checked_prior(SELLER, "PRIOR"))
    table = config.policy(market, market.seat("supplier_0"))
    policy = TablePolicy(market, "supplier_0", table, seed=3)
    engine = Engine(market, copies=4000)
    engine.reset()
    seen = engine.observations[:, 0]
    stock = np.array([market.role("supplier").decode_observation(int(o))["stock"] for o in seen])
    said = np.array([policy.decode(int(a))["claim"] for a in (policy.act(int(o)) for o in seen)])
    plenty = stock == "plenty"
    assert np.all(said[~plenty] == "scarce")
    error = 4 * np.sqrt(1 / 8 * 7 / 8 / plenty.sum())  # four standard errors
    assert abs(np.mean(said[plenty] == "scarce") - 1 / 8) < error


def test_an_agent_without_a_file_is_refused():
    market = make_market("procurement")
    config = make_config({"name": "prior"}, "agents.supplier_0")
    with pytest.raises(ConfigError, match=r"agents\.supplier_0\.file: missing"):
        config.policy(market, market.seat("supplier_0"))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prior", "seat", "market", "told"),
    [
        (SELLER, "supplier_0", "cheap_talk", "is a prior for the market procurement, not for"),
        (SELLER, "buyer_0", "procurement", "is a prior for a supplier, not for a buyer"),
        (SELLER, "supplier_1", "procurement", "no seat 'supplier_1'. Did you mean 'supplier_0'"),
        (changed(SELLER, market="cheap_talk", role="sender"), "sender_0", "cheap_talk",
         "cheap_talk does not say what a prior of a sender does"),
        (changed(SELLER, market="procurment"), "supplier_0", "procurement",
         "the market procurment, not for procurement. Did you mean 'procurement'"),
        (changed(SELLER, figures={"false_clam": rate(1, 8)}), "supplier_0", "procurement",
         "figures.false_clam: unknown figure. Did you mean 'false_claim'"),
        ({**BUYER, "figures": {"false_claim": rate(1, 8)}}, "buyer_0", "procurement",
         "figures.suspicion: missing"),
        (changed(SELLER, assumptions={"price_if_plenty": "high"}), "supplier_0", "procurement",
         "assumptions.price_if_plenty: must be one of lowest, highest, any, got 'high'"),
        (changed(SELLER, assumptions={"price": "any"}), "supplier_0", "procurement",
         "assumptions.price: unknown"),
        ({**BUYER, "acceptance": []}, "buyer_0", "procurement", "acceptance: missing"),
        (changed(SELLER, acceptance=BUYER["acceptance"]), "supplier_0", "procurement",
         "acceptance: not used here"),
    ],
)  # fmt: skip
def test_a_prior_that_does_not_fit(prior, seat, market, told):
    file = checked_prior(prior, "PRIOR")
    with pytest.raises(ConfigError) as refused:
        prior_table(file, make_market(market), seat, where="PRIOR")
    assert any(told in line and line.startswith("PRIOR: ") for line in refused.value.mistakes)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "is no prior: it has no `form`"),
        ({**SELLER, "form": "tacit prior 9"}, "its form is 'tacit prior 9'"),
        ({**SELLER, "roll": "supplier"}, "roll: unknown key. Did you mean 'role'"),
        ({**SELLER, "figures": {"false_claim": {**rate(1, 8), "value": 0.2}}},
         "figures.false_claim.value: is 0.2, but count / n is 1 / 8 = 0.125000"),
        ({**SELLER, "figures": {"false_claim": {**rate(8, 8), "count": 9}}},
         "figures.false_claim.count: must be at most n (8), got 9"),
        ({**SELLER, "figures": {"false_claim": {**rate(1, 8), "low": 0.2, "high": 0.3}}},
         "figures.false_claim.low: 0.2 .. 0.3 does not hold 0.125"),
        ({**SELLER, "figures": {"false_claim": {**rate(1, 8), "value": float("nan")}}},
         "figures.false_claim.value: must be a finite number"),
        ({**SELLER, "figures": {"false_claim": {**rate(1, 8), "value": "often"}}},
         "figures.false_claim.value: must be"),
        ({**SELLER, "sources": {}}, "figures.false_claim.source: unknown source 'made_up'"),
        ({**SELLER, "sources": {"made_up": {**SOURCES["made_up"], "file": "x.csv"}}},
         "sources.made_up.sha256: must be given with `file`"),
        ({**SELLER, "sources": {"made_up": {**SOURCES["made_up"], "file": "x", "sha256": "12"}}},
         "must be 64 hexadecimal digits, got '12'"),
        ({**BUYER, "acceptance": BUYER["acceptance"][1:]}, "least_share must ascend from 0"),
    ],
)  # fmt: skip
def test_a_damaged_file(values, told):
    with pytest.raises(ConfigError) as refused:
        checked_prior(values, "FILE.yaml")
    assert any(told in line for line in refused.value.mistakes), refused.value.mistakes
    assert all(line.startswith("FILE.yaml: ") for line in refused.value.mistakes)
