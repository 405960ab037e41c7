"""From KPI table to reward: the compiled score against the definition of a term."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.play import phases

from tacit.envs import kpi
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

MARKET = make_market("ad_auction", {"bidders": 3, "publisher": True, "bids": 9})
RICH = {
    "bidder": {
        "profit": 1.0,
        "price_change": -1.0,
        "envy": {"measure": "profit", "weight": -0.5, "scope": "rivals"},
        "peers": {"measure": "bid", "weight": 0.25, "scope": "role", "transform": "square"},
        "calm": {"measure": "price_change", "weight": -2, "scope": "market"},
    },
    "bidder_1": {
        "shading": {"weight": 1.5, "transform": "absolute"},
        "partner": {"measure": "profit", "weight": 0.5, "scope": "bidder_0"},
        "dear": {"measure": "spend", "weight": -3, "transform": "above", "threshold": 0.4},
    },
    "publisher": {
        "revenue": 1.0,
        "fill": {"weight": -0.5, "transform": "below", "threshold": 0.9},
        "thrift": {"measure": "bid", "weight": 0.1, "scope": "bidder_2"},
    },
}


def scored(table: dict, rounds: int = 5) -> tuple[Engine, np.ndarray]:
    """An engine after some rounds of random play, and its scores."""
    engine = Engine(MARKET, kpi.resolve(MARKET, table), copies=32)
    for _ in phases(engine, rounds, np.random.default_rng(5)):  # noqa: TID251 (the same in each)
        pass
    return engine, engine.rows.scores


def test_an_empty_table_is_worth_nothing():
    _, scores = scored({"bidder": {}, "publisher": {}})
    assert scores.shape[1] == 4
    assert not scores.any()


def slow_value(term: kpi.Term, seat: str, measures: dict[str, dict[str, float]]) -> float:
    """A term from its definition: transform every figure in scope, then take the mean."""
    shape = {
        "value": lambda x: x,
        "absolute": abs,
        "square": lambda x: x**2,
        "above": lambda x: max(0.0, x - term.threshold),
        "below": lambda x: max(0.0, term.threshold - x),
    }[term.transform]
    role = seat.rpartition("_")[0]
    scope = {
        "own": [seat],
        "rivals": [s for s in measures if s.startswith(role) and s != seat],
        "role": [s for s in measures if s.startswith(role)],
        "market": [s for s in measures if term.measure in measures[s]],
    }.get(term.scope, [term.scope])
    return float(np.mean([shape(measures[s][term.measure]) for s in scope]))


def test_the_compiled_score_equals_a_slow_one():
    engine, scores = scored(RICH)
    for row in range(len(scores)):
        measures = {
            seat.name: {
                m.name: engine.measures[row, seat.index, MARKET.columns[m.name]]
                for m in MARKET.measured(seat.role.name)
            }
            for seat in MARKET.seats
        }
        terms = [(s, term) for s, table in engine.kpi.items() for term in table.values()]
        values = [slow_value(term, s, measures) for s, term in terms]
        rewards = dict.fromkeys(measures, 0.0)
        for (s, term), value in zip(terms, values, strict=True):
            rewards[s] += term.weight * value
        np.testing.assert_allclose(scores[row], [*values, *rewards.values()], atol=1e-12)


numbers = st.floats(-100, 100).map(lambda x: round(x, 3))


@settings(max_examples=20)
@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers), numbers)
def test_the_reward_is_linear_in_the_weights(one, two, factor):
    def rewards(weights) -> np.ndarray:
        terms = dict(zip(("profit", "price_change"), weights, strict=True))
        return scored({"bidder": terms}, rounds=2)[0].rewards[:, :3].copy()

    mixed = [a + factor * b for a, b in zip(one, two, strict=True)]
    expected = rewards(one) + factor * rewards(two)
    np.testing.assert_allclose(rewards(mixed), expected, rtol=1e-9, atol=1e-9)


def test_a_weight_changes_no_term():
    """Terms are unweighted, so that a KPI's logs can be compared across weights."""
    _, light = scored({"bidder": {"profit": 1}})
    _, heavy = scored({"bidder": {"profit": 7}})
    np.testing.assert_array_equal(light[:, :3], heavy[:, :3])
    np.testing.assert_allclose(7 * light[:, 4:7], heavy[:, 4:7])
