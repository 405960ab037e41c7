"""Hiring: rules by hand, closed form against best replies by play, draws, scripted players."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tacit.agents.policy import cumulative, deterministic, uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.one_file import hiring
from tacit.envs.one_file.hiring import Hiring

ACCEPT, DECLINE = 0, 1
WAITS = 2  # the candidate's action while it has nothing to decide
BLIND = {"group_seen": False}


def played(market: Hiring, ability: int, group: int, outside: int, tier: int, reply: int):
    """Measures of one round of one copy, float64 [3, M]; all arguments are steps."""
    engine = Engine(market)
    engine.reset()
    engine.rows.state[0, :3] = ability, group, outside
    for actions in ([tier, WAITS], [len(market.config.tiers), reply]):
        engine.rows.actions[0] = actions
        engine.advance()
    return engine.measures[0].copy()


def row(measures: np.ndarray, seat: int) -> dict[str, float]:
    names = [measure.name for measure in hiring.MEASURES]
    return {name: x for name, x in zip(names, measures[seat].tolist(), strict=True) if x}


def test_a_hire_by_hand():
    """Ability 2, group b, the lower outside option .3, tier 2 at .4: output 1.4."""
    market = Hiring({"share_b": 0.25})
    found = played(market, ability=1, group=1, outside=0, tier=1, reply=ACCEPT)
    assert row(found, 0) == pytest.approx({"profit": 1, "hire_cost": 0.4, "hired": 1, "tier": 2})
    assert row(found, 1) == pytest.approx({"hired": 1, "tier": 2, "surplus": 0.1})
    assert row(found, 2) == pytest.approx(
        {"hired": 1, "tier": 2, "tier_gap": -8, "surplus_b": 0.4, "welfare": 1.1}
    )


def test_a_refusal_by_hand():
    """Group a, whose probability is 3 in 4; nothing is created, and the offer still counts."""
    found = played(Hiring({"share_b": 0.25}), 0, group=0, outside=1, tier=2, reply=DECLINE)
    assert row(found, 0) == row(found, 1) == {"tier": 3}
    assert row(found, 2) == {"tier": 3, "tier_gap": pytest.approx(4)}


def test_an_offer_below_the_outside_option_may_be_accepted_at_a_loss():
    found = played(Hiring({}), ability=1, group=0, outside=1, tier=0, reply=ACCEPT)
    assert row(found, 1)["surplus"] == pytest.approx(0.2 - 0.5)


def test_candidates_are_drawn_as_declared():
    engine = Engine(Hiring({"share_b": 0.3}), copies=40_000)
    engine.reset()
    ability, group, outside, _ = engine.rows.state.T
    assert ability.mean() == pytest.approx(0.5, abs=0.01)
    assert group.mean() == pytest.approx(0.3, abs=0.01)
    assert np.corrcoef(ability, group)[0, 1] == pytest.approx(0, abs=0.015)
    for g, low in enumerate((0.2, 0.65)):
        for k in range(2):
            own = outside[(group == g) & (ability == k)]
            assert 1 - own.mean() == pytest.approx(low, abs=0.015)


# --- closed form ----------------------------------------------------------------------------------


def expected_reward(market: Hiring, ability: int, group: int, tier: int, weight: float) -> float:
    """Mean of profit - weight x hire_cost, from rounds that are played; the candidate's reply is
    the one that brings it more."""
    total, low = 0.0, market.config.low_outside
    beliefs = [(group, 1.0)]
    if not market.config.group_seen:
        beliefs = [(0, 1 - market.config.share_b), (1, market.config.share_b)]
    for (g, share), outside in product(beliefs, range(2)):
        both = [played(market, ability, g, outside, tier, reply) for reply in (ACCEPT, DECLINE)]
        best = max(both, key=lambda found: found[1, hiring.SURPLUS])
        chance = share * (1 - low[g] if outside else low[g])
        total += chance * (best[0, hiring.PROFIT] - weight * best[0, hiring.HIRE_COST])
    return total


@pytest.mark.parametrize("config", [{}, BLIND, {**BLIND, "share_b": 0.2}])
@pytest.mark.parametrize(("ability", "group"), list(product(range(2), range(2))))
def test_the_border_is_where_best_replies_change(config, ability, group):
    market = Hiring(config)
    border = market.border(ability, group)
    for weight, lower in ((border - 0.01, False), (border + 0.01, True)):
        values = [expected_reward(market, ability, group, t, weight) for t in range(3)]
        best = int(np.argmax(values))
        assert best == market.best_tier(ability, group, weight)
        assert best == ability + (0 if lower else 1)


def test_borders_of_the_default():
    """(1 - q) y / (W - q w) - 1, by hand: q .2 and .65, w .2 and .4, W .4 and .6."""
    market = Hiring({})
    assert market.border(0, 0) == pytest.approx(0.8 / 0.36 - 1)
    assert market.border(0, 1) == pytest.approx(0.35 / 0.27 - 1)
    assert market.border(1, 0) == pytest.approx(0.8 * 1.4 / 0.52 - 1)
    assert market.border(1, 1) == pytest.approx(0.35 * 1.4 / 0.34 - 1)
    assert Hiring(BLIND).border(0, 0) == Hiring(BLIND).border(0, 1)
    assert np.isnan(Hiring({"outside": [[0.1, 0.1], [0.3, 0.9]]}).border(0, 0))
    assert np.isnan(Hiring({"outside": [[0.1, 0.1], [0.3, 0.9]]}).border(1, 0))


def tables(market: Hiring, tiers: np.ndarray) -> list[np.ndarray]:
    """The employer that offers these tiers [A, 2] (of group a where it sees none), and a candidate
    that accepts what exceeds its outside option."""
    employer, candidate = market.seats
    seen = tiers.reshape(-1) if market.config.group_seen else tiers[:, 0]
    offers = deterministic(employer.role, np.array([*seen, len(market.config.tiers)]))
    accepts = Scripted(ScriptedConfig(rule="truthful"), market, candidate).table()
    return [offers, accepts]


def test_outcomes_are_what_their_tables_earn():
    market = Hiring({"share_b": 0.4})
    marks = market.benchmarks()
    for name, tiers in (("monopsony", [[1, 1], [2, 2]]), ("everybody_hired", [[2, 2], [2, 2]])):
        assert marks[name].values == market.outcome(np.array(tiers))
    for tiers in (np.array([[1, 0], [2, 1]]), np.array([[0, 0], [1, 1]])):
        engine = Engine(market, copies=4000)
        engine.reset()
        sums = engine.play(cumulative(market, tables(market, tiers))[None], 20)
        mean = sums.measures.mean(axis=0) / 20
        for name, value in market.outcome(tiers).items():
            rows = [0, 1, 2] if name in ("hired",) else [{"profit": 0, "hire_cost": 0,
                                                          "surplus": 1}.get(name, 2)]  # fmt: skip
            for seat in rows:
                tolerance = 0.06 if name == "tier_gap" else 0.006
                assert mean[seat, market.columns[name]] == pytest.approx(value, abs=tolerance)


def test_the_gap_of_a_policy_table():
    market = Hiring({})
    figures = market.analysis.policy_figures
    assert figures(tables(market, np.array([[1, 0], [2, 1]]))) == {"policy_gap": 1.0}
    assert figures(tables(market, np.array([[1, 0], [1, 1]]))) == {"policy_gap": 0.5}
    assert figures(tables(market, np.array([[0, 2], [2, 2]]))) == {"policy_gap": -1.0}
    assert figures([uniform(role) for role in market.roles]) == {"policy_gap": 0.0}
    blind = Hiring(BLIND)
    assert blind.analysis.policy_figures(tables(blind, np.array([[1, 1], [0, 0]]))) == {
        "policy_gap": 0.0
    }


# --- players and mistakes -------------------------------------------------------------------------


def test_a_truthful_candidate_accepts_what_exceeds_its_outside_option():
    market = Hiring({})
    candidate = market.seats[1]
    table = Scripted(ScriptedConfig(rule="truthful"), market, candidate).table()
    for o in range(1, candidate.role.observations):
        seen = candidate.role.decode_observation(o)
        outside = market.config.outside[seen["ability"] - 1][seen["outside"] == "high"]
        accepts = market.config.tiers[seen["tier"] - 1] > outside
        assert table[o].tolist() == [float(accepts), float(not accepts), 0.0]
    with pytest.raises(ConfigError, match="truthful"):
        Scripted(ScriptedConfig(rule="truthful"), market, market.seats[0])


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"tiers": [0.4, 0.2]}, "tiers: must ascend, got [0.4, 0.2]"),
        ({"output": [1.0]}, "outside: needs a pair for each ability"),
        ({"outside": [[0.3, 0.1], [0.3, 0.5]]}, "outside: the lower option comes first"),
        ({"share_b": 1.0}, "share_b"),
        ({"low_outside": [0.2, 1.5]}, "low_outside"),
        ({"tier": [1]}, "tier"),
    ],
)
def test_mistakes_in_words(config, told):
    with pytest.raises(ConfigError) as error:
        Hiring(config)
    assert any(told in line for line in error.value.mistakes)
