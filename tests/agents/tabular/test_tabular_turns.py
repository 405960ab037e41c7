"""Q-learners that do not decide in every round: rewards between two decisions, and first values."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.group import make_group
from tacit.agents.neural.config import IppoConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi as kpis
from tacit.envs.cloud_bandwidth import positions as at
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = make_market(
    "cloud_bandwidth",
    {
        "timing": "alternating", "demand": "linear", "reservation_price": 1, "cost": 0,
        "prices": 5, "price_range": [0, 1],
    },
)  # fmt: skip
KPI = kpis.resolve(MARKET, {})
RATE, DISCOUNT = 0.3, 0.9


def learner(**keys) -> Q:
    settings = {"learning_rate": RATE, "discount": DISCOUNT, "initial_q": 0.0, "epsilon_decay": 0.0}
    return Q(**settings | keys)


def in_python(group: TabularGroup, rounds: int, discounted: bool) -> list[np.ndarray]:
    """Klein's update from the prices that the group posts, in plain Python: Q [rival's, own]."""
    q, last = [np.zeros((5, 5)) for _ in range(2)], [None, None]
    for t in range(rounds):
        mover, steps = t % 2, group.rows.state[0, at.POSTED : at.POSTED + 2].astype(int)
        seen = steps[1 - mover]
        if last[mover] is not None:
            (o, a), earned = last[mover]
            weight = DISCOUNT if discounted else 1.0
            target = earned[0] + weight * earned[1] + DISCOUNT**2 * q[mover][seen].max()
            q[mover][o, a] += RATE * (target - q[mover][o, a])
        group.run(1)
        posted = group.rows.state[0, at.POSTED : at.POSTED + 2].astype(int)
        last[mover] = ((seen, posted[mover]), [])
        price, low = posted / 4, posted.min() / 4
        for i in range(2):
            if last[i] is not None:
                sold = (1 - low) * (price[i] == low) / (price == low).sum()
                last[i][1].append(price[i] * sold)
    return q


@pytest.mark.parametrize("rewards", ["summed", "discounted"])
def test_the_update_between_two_turns_is_the_published_one(rewards):
    agents = {seat.name: learner(rewards_between=rewards) for seat in MARKET.seats}
    group = TabularGroup(MARKET, KPI, agents, seed=3)
    expected = in_python(group, 400, rewards == "discounted")
    learned = group.seed_state.q_arrays.q.reshape(2, 6, 6)  # one row and one action of waiting
    np.testing.assert_allclose(learned[:, :5, :5], expected, rtol=1e-12)
    assert np.all(learned[:, 5] == 0)
    assert np.all(learned[:, :, 5] == 0)
    assert np.count_nonzero(expected) == 50


def test_where_every_round_is_a_decision_the_key_changes_nothing():
    market = make_market("cloud_bandwidth", {"prices": 4})
    kpi = kpis.resolve(market, {})
    states = []
    for rewards in ("summed", "discounted"):
        agents = {seat.name: Q(rewards_between=rewards) for seat in market.seats}
        group = TabularGroup(market, kpi, agents, seed=0)
        group.look_up = "never"
        group.run(3000)
        states.append(group.state())
    np.testing.assert_equal(*states)


def test_beside_a_network_a_q_learner_discounts_alike():
    """The rollout loop of batches adds rewards up as the tabular loop does."""
    found = {}
    for rewards in ("summed", "discounted"):
        q = learner(rewards_between=rewards)
        agents = {"provider_0": q, "provider_1": IppoConfig(hidden=(8,), rounds_per_update=64)}
        group = make_group(MARKET, KPI, agents, seed=0, copies=1)
        group.run(64)
        found[rewards] = group.seed_state.q_arrays.q.copy()
    assert np.count_nonzero(found["summed"])
    # The actions are the same, since epsilon is 1; provider_0 earns less where it is discounted.
    assert np.all(found["discounted"] <= found["summed"])
    assert np.any(found["discounted"] < found["summed"])


def test_first_values_from_random_rivals_need_a_decision_in_every_round():
    agents = {seat.name: Q() for seat in MARKET.seats}
    with pytest.raises(
        ConfigError, match=r"agents\.provider_0\.initial_q: rival_uniform needs a s"
    ):
        TabularGroup(MARKET, KPI, agents, seed=0)
