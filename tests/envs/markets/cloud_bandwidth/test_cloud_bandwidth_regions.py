"""Several regions: each is a market of its own; what relates them is what seats see and count."""

from __future__ import annotations

from itertools import product
from math import exp

import numpy as np
import pytest
from support.play import random_actions

from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.cloud_bandwidth.measures import regional_figures
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.registry import make_market

FLAT = {"price_range": [1.4, 2.2], "prices": 3}  # 1.4, 1.8, 2.2
HOME = {"regions": 2, "cost": [1.0, 1.4, 1.4, 1.0]}


def cloud(**config) -> Market:
    return make_market("cloud_bandwidth", config)


def logit(prices, quality=(2.0, 2.0), mu: float = 0.25) -> list[float]:
    """Shares by the formula, without any care for overflow."""
    weights = [exp((a - p) / mu) for a, p in zip(quality, prices, strict=True)]
    return [w / (sum(weights) + 1.0) for w in weights]


# --- rounds ----------------------------------------------------------------------------------


def test_a_round_by_hand():
    market = cloud(**FLAT, **HOME, region_sizes=[1, 0.5], background_demand=2)
    engine = Engine(market, copies=1)
    engine.reset()
    engine.step(np.array([[0, 2, 1, 1]]))  # 1.4 against 2.2, and 1.8 against 1.8
    first, second = logit([1.4, 2.2]), logit([1.8, 1.8])
    sold = np.array([2.0 * q for q in first] + [1.0 * q for q in second])
    margin = np.array([0.4, 0.8, 0.4, 0.8])
    own = engine.measures[0, :4]
    np.testing.assert_allclose(own[:, market.columns["quantity"]], sold, rtol=1e-12)
    np.testing.assert_allclose(own[:, market.columns["profit"]], margin * sold, rtol=1e-12)
    whole = dict(zip(market.columns, engine.measures[0, 4], strict=True))
    assert whole["price"] == pytest.approx((1.4 + 2.2 + 1.8 + 1.8) / 4)
    assert whole["quantity"] == pytest.approx(sold.sum())
    gained = [0.25 * -np.log(1.0 - sum(shares)) for shares in (first, second)]  # mu ln(1/q_0)
    assert whole["consumer_surplus"] == pytest.approx(2.0 * gained[0] + 1.0 * gained[1])
    assert whole["welfare"] == pytest.approx((margin * sold).sum() + whole["consumer_surplus"])
    assert whole["specialisation"] == pytest.approx(first[0] / sum(first) - 0.5)


@pytest.mark.parametrize(
    "keys",
    [
        {"cost": [1.0, 1.4, 1.4, 1.0], "quality": [2.0, 2.1]},
        {"outside_shock": 0.2, "observe": "region", "memory": 2},
        {"capacity": 0.3},
        {"demand": "unit", "reservation_price": 1.9},
        {"demand": "linear", "region_sizes": [2, 1]},
        {"differentiation": 0, "cost": [1.0, 1.4, 1.4, 1.0]},
        {"prices": 60, "memory": 0},  # demand is not tabled
    ],
)
def test_a_region_is_the_market_of_its_own_keys(keys, luck):
    """Two regions played beside each other have the measures of two markets, bit for bit."""
    both = cloud(**{**FLAT, "regions": 2, **keys})
    engine = Engine(both, copies=16)
    own = {key: value for key, value in keys.items() if key not in ("observe", "region_sizes")}
    alone = []
    for k in range(2):
        sizes = keys.get("region_sizes", [1, 1])
        mine = {
            key: value[2 * k : 2 * k + 2] if isinstance(value, list) and len(value) == 4 else value
            for key, value in own.items()
        }
        alone.append(Engine(cloud(**{**FLAT, **mine, "background_demand": sizes[k]}), copies=16))
    for each in (engine, *alone):
        each.reset()
    for t in range(6):
        actions = random_actions(engine, luck)
        engine.step(actions)
        for k, each in enumerate(alone):
            seats = slice(2 * k, 2 * k + 2)
            each.step(actions[:, seats])
            for name, column in each.market.columns.items():
                if t == 0 and name == "price_change":
                    continue
                got = engine.measures[:, seats, both.columns[name]]
                np.testing.assert_array_equal(got, each.measures[:, :2, column], err_msg=name)
        for name in ("quantity", "consumer_surplus", "welfare"):
            parts = sum(each.measures[:, -1, each.market.columns[name]] for each in alone)
            np.testing.assert_allclose(engine.measures[:, -1, both.columns[name]], parts, 1e-12)


def test_surges_strike_each_seat_by_itself():
    engine = Engine(cloud(**FLAT, regions=2, surge={"enter": 0.5, "leave": 0.5}), copies=400)
    engine.reset()
    loads = [engine.observations[:, i] % 2 for i in range(4)]  # the last digit
    for one, two in product(range(4), repeat=2):
        assert (np.abs(np.corrcoef(loads[one], loads[two])[0, 1]) < 0.2) == (one != two)


# --- what is seen ----------------------------------------------------------------------------


@pytest.mark.parametrize(("memory", "regions"), [(1, 2), (2, 2), (1, 3), (2, 3)])
def test_what_is_seen_are_the_actions_of_those_rounds(memory, regions, luck):
    """All seats of all regions, or those of the own one: the older round first."""
    for observe in ("all", "region"):
        market = cloud(**{**FLAT, "prices": 2}, regions=regions, memory=memory, observe=observe)
        engine, played = Engine(market, copies=8), []
        engine.reset()
        for t in range(5):
            if t >= memory:
                for seat in market.seats:
                    first = 2 * (seat.index // 2) if observe == "region" else 0
                    count = 2 if observe == "region" else 2 * regions
                    parts = seat.role.decode_observation(int(engine.observations[3, seat.index]))
                    for ago in range(1, memory + 1):
                        when = ("last", "earlier")[ago - 1]
                        seen = [parts.pop(f"{when}_price_{i}") for i in range(count)]
                        rows = played[-ago][3, first : first + count]
                        assert seen == [market.grid[0][a] for a in rows]
                    assert parts == {"phase": 0}
            played.append(random_actions(engine, luck))
            engine.step(played[-1])


def test_grids_that_differ_between_regions_are_seen_as_steps():
    market = cloud(regions=2, prices=3, cost=[1.0, 1.2, 1.2, 1.0], observe="region")
    names = [part.name for part in market.role("provider").blocks[0].sees]
    assert names == ["last_price_0_step", "last_price_1_step"]
    alike = cloud(regions=2, prices=3, cost=[1.0, 1.2], observe="region")
    assert [p.name for p in alike.role("provider").blocks[0].sees] == [
        "last_price_0", "last_price_1",
    ]  # fmt: skip
    assert alike.role("provider").blocks[0].sees[1].values == tuple(alike.grid[1])


def test_last_actions_are_those_that_a_seat_sees():
    everything = cloud(**FLAT, regions=2)
    index = ((1 * 3 + 2) * 3 + 0) * 3 + 1
    found = everything.analysis.last_actions(everything.seats[3], index)
    assert found == {"provider_0": 1, "provider_1": 2, "provider_2": 0, "provider_3": 1}
    own = cloud(**FLAT, regions=2, observe="region")
    for seat, names in ((0, ["provider_0", "provider_1"]), (3, ["provider_2", "provider_3"])):
        found = own.analysis.last_actions(own.seats[seat], 1 * 3 + 2)
        assert found == dict(zip(names, (1, 2), strict=True))


# --- learning --------------------------------------------------------------------------------


def test_learners_of_one_region_learn_as_in_a_market_of_one():
    """With `observe: region` nothing of the second region reaches the first, bit for bit."""
    learner = QLearningConfig(epsilon_decay=1e-4)
    tables = []
    for regions in (1, 2):
        market = cloud(**FLAT, regions=regions, observe="region")
        agents = {seat.name: learner for seat in market.seats}
        group = TabularGroup(market, kpi.resolve(market, None), agents, seed=7)
        group.run(30_000)
        tables.append([np.array(table) for table in group.tables()])
    assert all(np.array_equal(*pair) for pair in zip(tables[0], tables[1][:2], strict=True))
    assert not np.array_equal(tables[1][0], tables[1][2])  # region 1 has draws of its own


def test_a_kpi_may_count_the_provider_s_other_region():
    market = cloud(**FLAT, regions=2)
    elsewhere = {"measure": "profit", "weight": 0.5, "scope": "provider_2"}
    table = kpi.resolve(market, {"provider_0": {"profit": 1.0, "elsewhere": elsewhere}})
    engine = Engine(market, table, copies=1)
    engine.reset()
    engine.step(np.array([[0, 2, 1, 0]]))
    profit = engine.measures[0, :4, market.columns["profit"]]
    paid = [profit[0] + 0.5 * profit[2], *profit[1:]]
    np.testing.assert_allclose(engine.rewards[0], paid, rtol=1e-12)


# --- benchmarks ------------------------------------------------------------------------------


def test_benchmarks_are_those_of_the_regions_alone():
    market = cloud(**HOME, prices=5, region_sizes=[1, 3])
    for k, cost in enumerate(([1.0, 1.4], [1.4, 1.0])):
        alone, seats = cloud(prices=5, cost=cost), slice(2 * k, 2 * k + 2)
        for mine, other in ((market.nash, alone.nash), (market.joint, alone.joint)):
            np.testing.assert_allclose(mine.price[seats], other.price, rtol=1e-12)
            size = (1, 3)[k]
            np.testing.assert_allclose(mine.profits[seats], size * other.profits, rtol=1e-12)
        np.testing.assert_array_equal(market.grid[seats], alone.grid)
        for name, steps in market.benchmark_steps.items():
            assert steps[seats].tolist() == alone.benchmark_steps[name].tolist()
    marks = market.benchmarks()
    for name in ("competitive", "collusive"):
        values = marks[name].values
        assert values["region_price/0"] == pytest.approx(values["region_price/1"])
    shares = np.array([logit(market.nash.price[:2]), logit(market.nash.price[2:])])
    shares /= shares.sum(axis=1, keepdims=True)
    apart = np.abs(shares[0] - shares[1]).sum() / 2
    assert marks["competitive"].values["specialisation"] == pytest.approx(apart)
    assert apart < marks["collusive"].values["specialisation"] < 1


def test_critical_discounts_by_playing_every_deviation():
    """Between like regions pooling changes nothing; with a home advantage it does.

    After Bernheim, Whinston. The second way: profits by the formula, every joint deviation of a
    provider tried out.
    """
    for keys, wanted in ((HOME, (1.1226, 0.3898)), ({"regions": 2}, (0.4066, 0.4066))):
        market = cloud(**keys, prices=5)
        cost = market.config.each(market.config.cost)

        def profits(steps, market=market, cost=cost) -> np.ndarray:
            prices = [market.grid[i][a] for i, a in enumerate(steps)]
            sold = [*logit(prices[:2]), *logit(prices[2:])]
            return np.array([(p - c) * q for p, c, q in zip(prices, cost, sold, strict=True)])

        high = [int(a) for a in market.benchmark_steps["collusive"]]
        stay, compete = profits(high), profits(market.benchmark_steps["competitive"])
        alone = []
        for seat in range(4):
            tries = [profits([*high[:seat], a, *high[seat + 1 :]])[seat] for a in range(5)]
            alone.append((max(tries) - stay[seat]) / (max(tries) - compete[seat]))
        pooled = []
        for one in (0, 1):
            two = one + 2
            tries = []
            for a, b in product(range(5), repeat=2):
                steps = list(high)
                steps[one], steps[two] = a, b
                tries.append(profits(steps)[[one, two]].sum())
            both = [x[[one, two]].sum() for x in (stay, compete)]
            pooled.append((max(tries) - both[0]) / (max(tries) - both[1]))
        theory = market.analysis.theory()
        assert theory["critical_discount/alone"] == pytest.approx(max(alone), rel=1e-9)
        assert theory["critical_discount/pooled"] == pytest.approx(max(pooled), rel=1e-9)
        assert (max(alone), max(pooled)) == pytest.approx(wanted, abs=1e-4)
    assert cloud(prices=5).analysis.theory() == {}


def test_shocks_are_averaged_in_every_region():
    market = cloud(**FLAT, **HOME, outside_shock=0.4)
    still = market.analysis.expected()
    actions = np.array([[0, 2, 1, 1]])
    found = {}
    for each, copies in ((market, 600), (still, 1)):
        engine = Engine(each, copies=copies)
        engine.reset()
        engine.step(np.tile(actions, (copies, 1)))
        found[copies] = engine.measures[..., each.columns["profit"]]
    seen = np.unique(found[600][:, :4].round(12), axis=0)
    assert len(seen) == 3  # one shock for all regions
    np.testing.assert_allclose(seen.mean(axis=0), found[1][0, :4], rtol=1e-9)


# --- summaries -------------------------------------------------------------------------------


def means_of(market: Market, prices, quantities) -> dict[str, float]:
    each = zip(market.seats, prices, quantities, strict=True)
    return {
        name: value
        for seat, price, sold in each
        for name, value in ((f"price/{seat.name}", price), (f"quantity/{seat.name}", sold))
    }


def test_who_serves_which_by_hand():
    market = cloud(**FLAT, regions=2)
    found = regional_figures(market.config, means_of(market, [1, 2, 3, 5], [0.3, 0.1, 0.2, 0.2]))
    assert found == pytest.approx(
        {
            "region_price/0": 1.5, "region_price/1": 4.0, "region_share/provider_0": 0.75,
            "region_share/provider_1": 0.25, "region_share/provider_2": 0.5,
            "region_share/provider_3": 0.5, "lasting_specialisation": 0.25,
            "multimarket_contact": 2.0,
        }
    )  # fmt: skip
    parted = regional_figures(market.config, means_of(market, [1] * 4, [0.5, 0.01, 0, 0.5]))
    assert parted["multimarket_contact"] == 0
    assert parted["lasting_specialisation"] == pytest.approx(0.5 / 0.51)
    assert regional_figures(cloud(**FLAT).config, {}) == {}


def test_whoever_serves_in_turn_is_specialised_by_round_only():
    market = cloud(**FLAT, differentiation=0, regions=2)
    engine = Engine(market, copies=1)
    engine.reset()
    sold, each_round = np.zeros(4), []
    for t in range(2):
        engine.step(np.array([[0, 1, 1, 0] if t else [1, 0, 0, 1]]))  # the lower price takes all
        sold += engine.measures[0, :4, market.columns["quantity"]]
        each_round.append(engine.measures[0, 4, market.columns["specialisation"]])
    assert each_round == [1.0, 1.0]
    assert regional_figures(market.config, means_of(market, [1.5] * 4, sold))[
        "lasting_specialisation"
    ] == pytest.approx(0.0)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tenants": 2}, [r"market\.tenants: with regions: 2 must be 0, got 2"]),
        (
            {"tenants": 2, "timing": "alternating", "providers": 9},
            [
                r"tenants: .* must be 0",
                "timing must be simultaneous",
                "providers must be at most 8",
            ],
        ),
        ({"cost": [1, 2, 3]}, ["2 providers, or for each of their 4 seats", "the same providers"]),
        ({"region_sizes": [1, 2, 3]}, [r"market\.region_sizes: .* each of 2 regions, got 3"]),
        ({"regions": 5}, [r"market\.regions: must be less than or equal to 4, got 5"]),
        ({"observe": "own"}, [r"market\.observe: ", "'all' or 'region'"]),
        ({"memory": 2}, ["2,562,890,625 observations", "observe: region"]),
        ({"providers": 8, "observe": "region"}, [r"market\.prices: .* must be fewer, got 15"]),
    ],
)
def test_what_does_not_go_with_regions_is_refused(keys, words):
    with pytest.raises(ConfigError) as refused:
        cloud(**{"regions": 2, **keys})
    for word in words:
        refused.match(word)
