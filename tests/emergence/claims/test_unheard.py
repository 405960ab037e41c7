"""Markets in which nobody hears a claim: what is seen, what is not, and what it says of intent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tacit.emergence.claims.channels import channels
from tacit.emergence.claims.deception import claims
from tacit.emergence.claims.verdict import claims as verdict
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

URGENCY = {"probability": 0.6, "urgent": 1.0, "calm": 0.5}
MARKETS = {
    "stock": ("procurement", {"suppliers": 2, "scarcity": 0.4, "clause": {}, "record": "on_time"}),
    "promises": ("procurement", {"suppliers": 2, "scarcity": 0, "lead_times": [0, 1, 2]}),
    "urgency": ("procurement", {"brief": True, "urgency": URGENCY, "scarcity": 0.3}),
    "headroom": (
        "cloud_bandwidth",
        {"tenants": 1, "prices": 3, "memory": 0, "headroom_claims": True},
    ),
    "talk": ("cheap_talk", {}),
}


def both(case):
    """The market, and the same where nobody hears."""
    name, keys = MARKETS[case]
    market = make_market(name, keys)
    return market, make_market(name, {**keys, **market.analysis.unheard})


@pytest.mark.parametrize("case", MARKETS)
def test_what_is_claimed_is_the_only_thing_that_is_not_heard(case, luck):
    """The same acts under the same luck: parts that others claim show their first value, all else
    is seen, paid and drawn as before."""
    market, silent = both(case)
    claimed = {claim.part for claim in market.claims}
    engines = [Engine(m, copies=64) for m in (market, silent)]
    for engine in engines:
        engine.reset()
    hidden = 0
    for _ in range(3 * len(market.phases)):
        legal = np.stack(
            [s.role.legal[engines[0].observations[:, s.index]] for s in market.seats], axis=1
        )
        actions = luck.integers(legal[..., 0], legal.sum(axis=-1))
        for copy in range(64):
            for seat in market.seats:
                heard, unheard = (
                    seat.role.decode_observation(int(e.observations[copy, seat.index]))
                    for e in engines
                )
                for part, value in heard.items():
                    name = part.rsplit("_", 1)[0] if part[-1].isdigit() else part
                    if name in claimed:
                        first = next(p for p in seat.role.observation_parts if p.name == part)
                        assert unheard[part] == first.values[0]
                        hidden += value != first.values[0]
                    else:
                        assert unheard[part] == value
        for engine in engines:
            engine.step(actions)
        np.testing.assert_array_equal(engines[0].rows.state, engines[1].rows.state)
        np.testing.assert_array_equal(engines[0].measures, engines[1].measures)
    assert hidden > 10


def mixed(role, luck):
    """A random policy, everything legal possible."""
    table = np.zeros((role.observations, role.actions))
    for own, (first, count) in zip(table, role.legal, strict=True):
        own[first : first + count] = luck.dirichlet(np.ones(count))
    return table


@pytest.mark.slow
@pytest.mark.parametrize("case", MARKETS)
def test_nobody_is_influenced_by_what_is_not_heard(case, luck):
    for market, most in zip(both(case), (np.inf, 1e-12), strict=True):
        tables = [mixed(seat.role, luck) for seat in market.seats]
        found = claims(freeze(market, kpis.resolve(market, None), tables, 0))
        for channel in channels(market):
            influence = found[f"causal_influence/{channel.claim.part}"]
            assert influence <= most
            assert influence > 1e-4 or most < 1


def test_closed_forms_need_to_be_heard():
    market = make_market("procurement", {"claims_heard": False})
    assert market.conditions()["bluffing"] == ["claims_heard: must be true"]


# --- intent ---------------------------------------------------------------------------------------


def arm(rate, spread=0.0, n=MIN_SEEDS):
    """Deception at this rate of false claims (every seed's own: rate + or - the spread)."""
    market = make_market("procurement")
    each = [rate + spread * (-1) ** k for k in range(n)]
    names = ("conditional_false_rate", "pooled", "heeded", "belief_loss", "false_claim_gain",
             "false_claim_harm")  # fmt: skip
    figures = {f"{name}/claim": [0.1] * n for name in names} | {"false_claim_rate/claim": each}
    return Evidence(market, kpis.resolve(market, None), figures, n)


@pytest.mark.parametrize(
    ("unheard", "word"),
    [(0.1, "less"), (0.49, "no less"), (0.5, "no less"), (0.9, "no less")],
)
def test_intent_compares_false_claims_with_those_that_nobody_hears(unheard, word):
    judged = verdict(replace(arm(0.5, 0.1), controls={"unheard": arm(unheard, 0.1)}))
    assert judged.word == "deception"
    assert judged.qualifiers == (f"claim: {word} false where nobody hears it",)
    assert any("false where nobody hears it" in line for line in judged.evidence)
    assert not any("intent" in line for line in judged.missing)


def test_without_that_arm_intent_is_missing():
    judged = verdict(arm(0.5, 0.1))
    assert judged.qualifiers == ()
    (missing,) = judged.missing
    assert missing.startswith("claim: intent (an arm in which nobody hears claims: ")
    assert missing.endswith("--as unheard market.claims_heard=false)")


def test_few_seeds_say_nothing_of_intent():
    few = arm(0.5, 0.1, 16)
    assert verdict(replace(few, controls={"unheard": arm(0.1, 0.1, 16)})).qualifiers == ()


def test_where_no_message_is_heard_only_babbling_is_an_equilibrium():
    for bias in (0.0, 0.1):
        market = make_market("cheap_talk", {"bias": bias, "claims_heard": False})
        marks = market.benchmarks()
        assert marks["informative"].values == marks["babbling"].values
        assert market.analysis.theory() == {"signalling/message": 0.0}
