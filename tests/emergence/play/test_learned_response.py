"""What learned tables earn when they are played."""

from __future__ import annotations

import numpy as np
import pytest
from support.populations import scripted

from tacit.agents.policy import deterministic, uniform
from tacit.emergence.play import learned_response
from tacit.emergence.play.limit_path import limit_path
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market


def test_what_constant_prices_earn_is_their_profit_a_round_from_any_state():
    population = scripted("collusive")
    market, kpi = population.market, population.kpi
    path = limit_path(population)
    profit = path.measures[0, :2, market.columns["profit"]]
    for seat in range(2):
        earned = learned_response.mean_payoff(market, kpi, population.tables, seat, 0)
        assert earned == pytest.approx(profit[seat])


def test_play_begins_in_the_state_that_is_given():
    """Grim trigger on its path collude for ever; after a low price it never does again."""
    population = scripted("grim_trigger")
    market = population.market
    high = limit_path(population).measures[0, 0, market.columns["profit"]]
    engine = Engine(market, population.kpi)
    engine.reset()
    start = [population.market, population.kpi, population.tables, 0, 0]
    assert learned_response.mean_payoff(*start, engine.rows) == pytest.approx(high)
    engine.step(np.zeros((1, 2), np.int64))
    assert learned_response.mean_payoff(*start, engine.rows) < 0.9 * high


# --- what is asked of a learner -------------------------------------------------------------------


def test_a_reward_is_that_of_the_seat_with_all_terms_of_its_kpi():
    """Seats with one, three and two terms; everybody does the first legal thing for ever."""
    market = make_market("ad_auction", {"bidders": 3, "bids": 4, "price_mix": 1.0})
    terms = ({"win": 5.0}, {"profit": 2.0, "win": 0.25, "spend": -1.0}, {"profit": 1.0, "win": 0.0})
    kpi = kpis.resolve(market, {f"bidder_{i}": own for i, own in enumerate(terms)})
    bids = (1, 3, 2)  # .4, .8, .6: bidder_1 wins, and pays .8
    tables = [deterministic(s.role, [bid]) for s, bid in zip(market.seats, bids, strict=True)]
    price = market.grid[3]
    for seat, reward in enumerate((0.0, 2.0 * (1 - price) + 0.25 - price, 0.0)):
        earned = learned_response.mean_payoff(market, kpi, tables, seat, 0)
        assert earned == pytest.approx(reward)


def test_only_the_seat_s_own_table_is_replaced(monkeypatch):
    """And both tables are played from the population's state by its seed."""
    population = scripted("collusive", seed=3)
    calls = []

    def played(market, kpi, tables, seat, seed, rows):
        calls.append(tables)
        assert (seat, seed, rows) == (1, population.seed, population.rows)
        return float(len(calls))

    monkeypatch.setattr(learned_response, "Q_LEARNING_ROUNDS", 200)
    monkeypatch.setattr(learned_response, "mean_payoff", played)
    found = learned_response.q_learned_payoffs(population, population.kpi, 1)
    assert found == (1.0, 2.0)
    own, trained = calls
    assert own is population.tables
    assert trained[0] is population.tables[0]
    assert not np.array_equal(trained[1], population.tables[1])


class Recorded:
    """Stands in for a class of Stable-Baselines3: keeps what it is given, and always answers 1."""

    made: dict

    def __init__(self, policy, env, **arguments):
        if arguments.pop("refuse", False):
            raise TypeError("no")
        Recorded.made = {"policy": policy, "env": env, **arguments}

    def learn(self, steps):
        Recorded.made["steps"] = steps

    def predict(self, digits, deterministic):
        Recorded.made["digits"] = digits
        assert deterministic
        return np.ones(len(digits), np.int64), None


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(learned_response, "find_algorithm", lambda name: Recorded)


def test_a_class_is_given_its_settings_and_decisions(recorded):
    """A supplier decides twice a round: its offer, and its answer to a counter."""
    market = make_market("procurement", {"suppliers": 2})
    kpi = kpis.resolve(market, None)
    tables = [uniform(seat.role) for seat in market.seats]
    own = market.seats[1]
    decisions = sum(market.acts(own, phase) for phase in range(len(market.phases)))
    assert decisions == 2
    found = learned_response.learned_best_response(
        market, kpi, tables, own.name, "PPO", rounds=7, seed=5, discount=0.5,
        kwargs={"n_steps": 3},
    )  # fmt: skip
    made = Recorded.made
    assert made["steps"] == 7 * 16 * decisions
    given = {"policy": "MlpPolicy", "gamma": 0.5, "seed": 5, "device": "cpu"}
    assert {name: made[name] for name in given} == given
    assert (made["n_steps"], made["batch_size"], made["n_epochs"]) == (3, 512, 4)
    assert len(made["digits"]) == own.role.observations
    # Action 1 where it is legal, the first legal one elsewhere.
    first, count = own.role.legal.T
    legal = (first <= 1) & (first + count > 1)
    assert 0 < legal.sum() < len(legal)
    assert found.table.argmax(axis=1).tolist() == np.where(legal, 1, first).tolist()
    assert found.table.sum() == len(legal)
    others = [found.table if s is own else tables[s.index] for s in market.seats]
    value = learned_response.mean_payoff(market, kpi, others, own.index, 5)
    assert found.value == value


def test_without_keys_it_is_ppo_for_4000_rounds(recorded):
    """One decision a round in an auction, in 16 copies."""
    market = make_market("ad_auction", {"bids": 2})
    kpi, tables = kpis.resolve(market, None), [uniform(seat.role) for seat in market.seats]
    learned_response.learned_best_response(market, kpi, tables, "bidder_0")
    made = Recorded.made
    assert (made["steps"], made["gamma"], made["seed"]) == (4_000 * 16, 0.95, 0)
    assert (made["n_steps"], made["learning_rate"]) == (128, 1e-3)


def test_what_a_class_refuses_and_what_is_no_class_is_said(recorded, monkeypatch):
    market = make_market("ad_auction", {"bids": 2})
    kpi, tables = kpis.resolve(market, None), [uniform(seat.role) for seat in market.seats]
    with pytest.raises(ConfigError, match="algorithm: DQN cannot play bidder_0: no"):
        learned_response.learned_best_response(
            market, kpi, tables, "bidder_0", "DQN", kwargs={"refuse": True}
        )
    monkeypatch.undo()
    assert learned_response.find_algorithm("PPO").__name__ == "PPO"
    with pytest.raises(ConfigError, match=r"unknown class 'PPOO'\. Did you mean 'PPO'\?"):
        learned_response.find_algorithm("PPOO")
