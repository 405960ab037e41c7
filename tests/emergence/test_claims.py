"""Claims: deaf listeners, hand-computed lies, closed forms, and the word for them."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from support.paths import ROOT
from support.speakers import battery, players

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.claims import deception as probe
from tacit.emergence.claims.channels import channels
from tacit.emergence.claims.counterfactual import counterfactual_claims
from tacit.emergence.claims.deception import claims
from tacit.emergence.claims.false_claims import false_claims
from tacit.emergence.claims.signalling import signalling
from tacit.emergence.claims.verdict import claims as verdict
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import freeze
from tacit.emergence.registry import PROBES
from tacit.envs import kpi as kpis
from tacit.envs.procurement.equilibrium import equilibrium_table
from tacit.envs.registry import make_market

DEAF, TRUSTING = battery.DEAF, battery.TRUSTING
BRIEF = battery.BRIEF
truthful = players.truthful
ABOVE = players.renaming(dict(zip(battery.STATES, (*battery.STATES[1:], 1.0), strict=True)))
# By setting: all words, and one who lies whenever it can.
WORDS = {"promises": (0, 1, 2, 3), "stock, scarcity .2": ("plenty", "scarce"),
         "talk, bias .6": battery.STATES, "talk, bias 0": battery.STATES,
         "talk, bias .2": battery.STATES}  # fmt: skip
LIES = {"promises": players.saying(0), "stock, scarcity .2": players.saying("scarce"),
        "talk, bias .6": ABOVE, "talk, bias 0": ABOVE, "talk, bias .2": ABOVE}  # fmt: skip


def probed(market, tables):
    """All figures on claims of one population."""
    population = freeze(market, kpis.resolve(market, None), tables, 0)
    return {**claims(population), **false_claims(population)}


def figures_of(market, tables, part):
    """A population's figures of one claim, without its name."""
    found = probed(market, tables)
    return {name.removesuffix(f"/{part}"): x for name, x in found.items() if name.endswith(part)}


def played(name, says, listener):
    market, _ = battery.setting(name)
    says = {"truthful": truthful, "lying": LIES.get(name),
            "babbling": players.babbling(WORDS[name])}.get(says, says)  # fmt: skip
    kind = battery.Kind(name, "", (says,), listener, "")
    return figures_of(market, kind.tables(), channels(market)[0].claim.part)


def judge(figures, market, n=MIN_SEEDS):
    """The verdict on so many equal seeds."""
    own = {name: [x] * n for name, x in figures.items()}
    return verdict(Evidence(market, kpis.resolve(market, None), own, n))


# --- influence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("market", ["promises", "stock, scarcity .2", "talk, bias .6"])
@pytest.mark.parametrize("speaker", ["truthful", "lying", "babbling"])
def test_a_deaf_listener_is_not_influenced(market, speaker):
    found = played(market, speaker, DEAF)
    assert found["causal_influence"] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(found["claim_effect"]) or found["claim_effect"] < 1e-12
    assert found["deception_index"] == 0.0
    assert found["heeded"] == pytest.approx(0.0, abs=1e-12)
    assert found["sender_gain"] == 0.0 or market != "talk, bias .6"


def test_a_deaf_listener_scores_nothing_however_unevenly_words_are_used(luck):
    """An average over words in place of the weighted sum would give ln 6, or at least over 0."""
    market = make_market("cheap_talk")
    speech = luck.dirichlet(np.full(6, 0.3), size=6)
    sender, receiver = uniform(market.roles[0]), uniform(market.roles[1])
    sender[:6, :6] = speech
    receiver[1:, 1:] = luck.dirichlet(np.ones(11))
    legal = market.roles[1].legal
    receiver[1:] = 0.0
    receiver[1:, legal[1, 0] : legal[1, 0] + 11] = luck.dirichlet(np.ones(11))
    found = figures_of(market, [sender, receiver], "message")
    assert found["causal_influence"] == pytest.approx(0.0, abs=1e-12)
    assert found["claim_effect"] == pytest.approx(0.0, abs=1e-12)


def test_a_trusting_listener_hears_all_that_a_truthful_sender_says():
    found = played("talk, bias 0", "truthful", TRUSTING)
    assert found["causal_influence"] == pytest.approx(log(6))
    assert found["heeded"] == pytest.approx(1.0)
    assert found["false_claim_rate"] == 0.0
    assert np.isnan(found["claim_effect"])
    assert np.isnan(found["belief_damage"])


def test_influence_by_hand_with_a_noisy_sender():
    """Two states, true with .9, a listener that follows every message: I(m; a) =
    H(m) = ln 2.
    """
    market = make_market("cheap_talk", {"states": 2, "actions": 2, "bias": 0})
    sender = uniform(market.roles[0])
    sender[:2, :2] = [[0.9, 0.1], [0.1, 0.9]]
    acts = market.roles[1].legal[1:3, 0] + np.arange(2)
    receiver = deterministic(market.roles[1], np.array([market.roles[1].legal[0, 0], *acts]))
    found = figures_of(market, [sender, receiver], "message")
    assert found["causal_influence"] == pytest.approx(log(2))
    assert found["false_claim_rate"] == pytest.approx(0.1)
    assert found["claim_size"] == pytest.approx(0.1)
    assert found["claim_effect"] == pytest.approx(log(2))
    assert found["belief_damage"] == pytest.approx(log(0.5) - log(0.1))
    assert found["listener_harm"] == pytest.approx(0.1)  # the wrong state costs 1
    assert found["sender_gain"] == pytest.approx(-0.1)


# --- lies -----------------------------------------------------------------------------------------


def test_promises_that_cannot_be_kept_by_hand():
    """Two suppliers of lead 0 .. 3 promise 0 days at one price. A true promise would lose the deal
    to the rival: the lie wins half of them, .2 each. The buyer, .2 a late day, loses where the own
    lead exceeds the rival's: 6 of 16 pairs; on average half of .2 x (lead - 1.5) for leads 1 to 3.
    """
    found = played("promises", "lying", TRUSTING)
    assert found["claims_exact"] == 1.0
    assert found["false_claim_rate"] == pytest.approx(0.75)
    assert found["claim_size"] == pytest.approx(1.5)
    assert found["causal_influence"] == pytest.approx(0.0, abs=1e-12)  # it always says the same
    assert found["claim_effect"] > 0.1  # and is believed
    assert found["listener_harm"] == pytest.approx(0.25 * 0.5 * 0.2 * (1 + 2 + 3 - 4.5))
    assert found["sender_gain"] == pytest.approx(0.75 * 0.5 * 0.2)
    assert found["deception_index"] == pytest.approx(6 / 16)


def test_a_bluff_about_stock_by_hand():
    """With plenty, .8 of the time: sold at .8, fined .05, where the truth is countered at .4."""
    found = played("stock, scarcity .2", "lying", TRUSTING)
    assert found["false_claim_rate"] == pytest.approx(0.8)
    assert found["sender_gain"] == pytest.approx(0.8 * (0.75 - 0.9 * 0.4))
    assert found["listener_harm"] == pytest.approx(0.8 * (0.9 * 0.6 - 0.2))
    assert found["deception_index"] == pytest.approx(0.8)


def test_a_small_gain_is_none(monkeypatch):
    """Bias .2: a lie brings .04, above .02 of the scale; were gains counted from .05, nothing."""
    assert played("talk, bias .2", "lying", TRUSTING)["deception_index"] > 0.8
    monkeypatch.setattr(probe, "NEGLIGIBLE_GAIN", 0.05)
    assert played("talk, bias .2", "lying", TRUSTING)["deception_index"] == 0.0


def test_counterfactuals_differ_in_the_word_alone():
    market, kpi = battery.setting("stock, scarcity .2")
    population = freeze(market, kpi, [uniform(s.role) for s in market.seats], 0)
    found = counterfactual_claims(population, channels(market)[0])
    assert found.weight.shape == (4, 2)  # stock, price; each with two claims
    assert found.weight.sum() == pytest.approx(1.0)
    listener = found.listeners[0]
    for o, other in listener.observations[:, :, 0]:
        said, counterfactual = (market.roles[1].decode_observation(int(x)) for x in (o, other))
        assert said["price_0"] == counterfactual["price_0"]
        assert (said["claim_0"], counterfactual["claim_0"]) == ("plenty", "scarce")


def test_a_claim_that_nobody_decides_on_has_no_influence():
    """Providers' headroom, in a market without tenants."""
    market = make_market(
        "cloud_bandwidth", {"prices": 3, "headroom_claims": True, "surge": {}, "memory": 0}
    )
    found = figures_of(market, [uniform(s.role) for s in market.seats], "claim")
    assert found["false_claim_rate"] == pytest.approx(0.5)
    assert np.isnan(found["causal_influence"])
    assert "nobody decides in the phase after it" in judge(
        {f"{k}/claim": x for k, x in found.items()}, market
    ).missing[0]  # fmt: skip


def test_claims_are_sampled_where_seats_remember():
    keys = {"suppliers": 2, "prices": [0.3, 0.4], "lead_times": [0, 2], "record": "on_time",
            "scarcity": 0, "counters": False, "late_fine": 0.1}  # fmt: skip
    market = make_market("procurement", keys)
    still = make_market("procurement", {**keys, "record": "none"})
    tables = [uniform(s.role) for s in market.seats]
    sampled = figures_of(market, tables, "promise")
    exact = figures_of(still, [uniform(s.role) for s in still.seats], "promise")
    assert (sampled["claims_exact"], exact["claims_exact"]) == (0.0, 1.0)
    for name in ("false_claim_rate", "causal_influence", "claim_effect", "sender_gain"):
        assert sampled[name] == pytest.approx(exact[name], abs=0.01)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        (BRIEF | {"false_urgency_fine": 0.2}, "bluffing"),
        (BRIEF | {"false_urgency_fine": 0.45}, "honest"),
        (BRIEF, "pooling"),  # all say "calm"
        ({}, "babbling"),  # one word at each price
        ({"false_claim_fine": 0.5}, "honest"),
    ],
    ids=str,
)
def test_closed_forms_get_the_word_of_theory(keys, word):
    market = make_market("procurement", keys)
    tables = [equilibrium_table(market.config, seat) for seat in market.seats]
    found = probed(market, tables)
    assert judge(found, market).word == word
    assert judge(found, market, n=MIN_SEEDS - 1).word == f"undecided at n = {MIN_SEEDS - 1}"
    gain = next(x for name, x in found.items() if name.startswith("sender_gain"))
    if word == "bluffing":  # the fine takes all that the lie brings
        assert gain == pytest.approx(0.0, abs=1e-12)


def test_where_the_price_tells_it_already_that_is_said():
    market = make_market("procurement")
    tables = [equilibrium_table(market.config, seat) for seat in market.seats]
    population = freeze(market, kpis.resolve(market, None), tables, 0)
    given = judge({**probed(market, tables), **signalling(population)}, market)
    assert given.qualifiers == ("claim: the rest of the action tells it already",)


def test_an_auction_with_chat_claims_nothing():
    market = make_market("ad_auction", {"chat": 3})
    assert verdict(Evidence(market, kpis.resolve(market, None), {}, MIN_SEEDS)) is None


CASES = [
    case for case in battery.cases() if "cells 0%" in case.market or case.kind == "closed form"
]


@pytest.mark.parametrize("market", sorted({case.market for case in CASES}))
def test_every_case_without_noise_gets_its_right_word(market):
    for case in (own for own in CASES if own.market == market):
        (evidence,) = case.arms(1)
        assert {verdict(evidence).word} == case.right, case.kind


def test_the_battery_has_both_halves_and_many_kinds():
    kinds = {case.kind for case in battery.cases()}
    assert len(kinds) >= 20
    halves = {half: {c.market for c in battery.cases() if c.half == half} for half in
              ("choosing", "reporting")}  # fmt: skip
    assert all(halves.values())
    assert not halves["choosing"] & halves["reporting"]


def test_every_figure_is_on_its_page():
    page = (ROOT / "docs/probes/claims.md").read_text(encoding="utf-8")
    for name in ("signalling", "claims", "false_claims"):
        for figure in PROBES[name].figures:
            assert f"`{figure}" in page, figure


def test_deaf_listeners_do_the_same_at_every_word():
    market, _ = battery.setting("promises")
    seat = market.seats[2]
    heard = players.deaf(market, seat, players.scripted(market, seat, "trusting"))
    same = {}
    for o in range(len(heard)):
        seen = seat.role.decode_observation(o)
        if "price_0" in seen:
            same.setdefault((seen["price_0"], seen["price_1"]), set()).add(heard[o].tobytes())
    assert all(len(rows) == 1 for rows in same.values())


def test_noise_changes_rows_for_good():
    market, _ = battery.setting("promises")
    tables = [uniform(s.role) for s in market.seats]
    noisy = players.changed(market, tables, 0.3, 5)
    again = players.changed(market, tables, 0.3, 5)
    for table, own, same in zip(tables, noisy, again, strict=True):
        np.testing.assert_array_equal(own, same)
        rows = (own != table).any(axis=1)
        assert (own[rows].max(axis=1) == 1.0).all()
    share = (noisy[2] != tables[2]).any(axis=1).mean()
    assert share == pytest.approx(0.3, abs=0.15)
