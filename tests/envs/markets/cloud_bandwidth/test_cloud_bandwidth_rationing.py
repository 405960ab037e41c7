"""The rationing game's closed form, held to an enumeration of requests and to the market itself."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest

from tacit.envs.cloud_bandwidth.rationing import Rationing, unit_value
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

GAME = Rationing(tenants=6, capacity=3, critical_probability=0.3)


def gain(game: Rationing, exaggerators: int) -> float:
    """Delta_J by going through every need of the N - 1 rivals."""
    total, rho = 0.0, game.critical_probability
    for needs in product((0, 1), repeat=game.tenants - 1):
        chance = np.prod([rho if need else 1 - rho for need in needs])
        k = sum(1 for t, need in enumerate(needs) if need or t < exaggerators)
        n, c, b = game.tenants, game.capacity, game.background
        high = min(1, c / (k + 1))
        low = min(1, max(c - k, 0) / (n - k + b))
        total += chance * (high - low)
    return total


@pytest.mark.parametrize(
    "game", [GAME, Rationing(4, 2, 0.6), Rationing(5, 3, 0.2, 1.5), Rationing(3, 1, 0.0)]
)
def test_delta_by_enumeration(game):
    for j in range(game.tenants):
        assert game.delta(j) == pytest.approx(gain(game, j), abs=1e-14)


@pytest.mark.parametrize("surcharge", [0.0, 0.1, 0.2, 0.26, 0.3, 0.4, 0.6])
@pytest.mark.parametrize("game", [GAME, Rationing(5, 3, 0.2, 1.5)])
def test_equilibria_by_looking_at_every_tenant(game, surcharge):
    m = 0.5
    found = []
    for j in range(game.tenants + 1):
        stays = j == 0 or m * gain(game, j - 1) >= surcharge
        joins = j < game.tenants and m * gain(game, j) > surcharge
        if stays and not joins:
            found.append(j)
    assert game.equilibria(m, surcharge) == found


def test_who_is_paid_for_uptime_alone_always_asks():
    assert unit_value(0.5, 0, 1) == inf
    assert GAME.equilibria(inf, 0.6) == [6]
    assert unit_value(0.5, 1, 0) == 0.5
    assert unit_value(0.5, 2, 1) == 1.0


def test_an_efficient_surcharge_sorts_needs():
    low, high = GAME.efficient_surcharge(0.5, 2.5)
    assert 0 in GAME.equilibria(0.5, 0.4)
    assert low < 0.4 < high
    assert GAME.equilibria(0.5, 0.05) == [6]
    assert GAME.equilibria(0.5, 0.25) == [5, 6]  # at a threshold both, whatever the rounding


def test_priority_is_worthless_where_everybody_is_served():
    game = Rationing(3, 5, 0.3, 1.0)
    assert game.trivial
    assert not GAME.trivial
    assert all(game.delta(j) == 0 for j in range(3))


CONFIG = {
    "providers": 1, "cost": 0, "prices": 1, "price_range": [0.5, 0.5], "background_demand": 0,
    "tenants": 6, "capacity": 3, "priority_surcharge": 0.4,
}  # fmt: skip


@pytest.mark.parametrize(("surcharge", "exaggerators"), [(0.1, 6), (0.3, 4), (0.4, 0)])
def test_the_market_tells_its_equilibrium_and_every_threshold(surcharge, exaggerators):
    marks = make_market("cloud_bandwidth", CONFIG | {"priority_surcharge": surcharge}).benchmarks()
    mark = marks["rationing"]
    assert mark.values == pytest.approx({"exaggeration": 0.7 * exaggerators / 6})
    assert mark.source.startswith(
        f"{exaggerators} of 6 tenants exaggerate at surcharge {surcharge}"
    )
    assert "0.325, 0.350, 0.357, 0.332, 0.285, 0.250" in mark.source
    assert "rationing_most" not in marks


def test_a_range_of_equilibria_is_reported_by_its_ends():
    marks = make_market("cloud_bandwidth", CONFIG | {"priority_surcharge": 0.34}).benchmarks()
    ends = [marks[name].values["exaggeration"] for name in ("rationing", "rationing_most")]
    found = GAME.equilibria(0.5, 0.34)
    assert len(found) > 1
    assert ends == pytest.approx([0.7 * found[0] / 6, 0.7 * found[-1] / 6])


@pytest.mark.parametrize("change", [
    {"capacity": 6}, {"priority_surcharge": 2}, {"standard_value": 0.4}, {"surge": {}},
    {"prices": 2, "price_range": [0.5, 0.6]},
])  # fmt: skip
def test_no_equilibrium_is_reported_where_the_game_is_another(change):
    assert "rationing" not in make_market("cloud_bandwidth", CONFIG | change).benchmarks()


def test_background_demand_at_the_posted_price_counts():
    config = CONFIG | {"background_demand": 2, "demand": "unit", "reservation_price": 0.6}
    with_it = make_market("cloud_bandwidth", config).benchmarks()["rationing"].source
    assert f"{0.5 * Rationing(6, 3, 0.3, 2).delta(0):.3f}" in with_it
    dear = config | {"reservation_price": 0.4}  # nobody else buys at .5
    assert "0.325, 0.350" in make_market("cloud_bandwidth", dear).benchmarks()["rationing"].source


@pytest.mark.parametrize(
    ("honest", "critical_unserved", "share"), [(True, 0.046, 1.0), (False, 0.5, 0.746)]
)
def test_honest_and_exaggerated_requests_in_the_market(honest, critical_unserved, share):
    market = make_market("cloud_bandwidth", CONFIG)
    tenant = market.role("tenant")
    plain, urgent = (
        tenant.encode_action(provider="provider_0", priority=p) for p in ("standard", "critical")
    )
    engine = Engine(market, copies=20_000)
    engine.reset()
    wait = tenant.actions - 1
    engine.step(np.tile([0, *[wait] * 6], (20_000, 1)))
    critical = [tenant.decode_observation(o)["need"] == "critical" for o in range(1, 3)]
    assert critical == [False, True]
    asks = np.where(engine.observations[:, 1:] == 2, urgent, plain if honest else urgent)
    engine.step(np.column_stack([np.full(20_000, market.role("provider").actions - 1), asks]))
    mean = engine.measures.mean(axis=0)
    means = {
        f"{m.name}/{s.name}": mean[s.index, market.columns[m.name]]
        for m in market.measures
        for s in market.seats
        if s.role.name in m.roles
    }
    means["exaggeration"] = mean[1:7, market.columns["exaggeration"]].mean()
    means |= {x: mean[-1, market.columns[x]] for x in ("welfare", "quantity", "revenue")}
    derived = market.derived(means)
    assert derived["critical_unserved_rate"] == pytest.approx(critical_unserved, abs=0.01)
    assert derived["exaggeration_rate"] == (0 if honest else pytest.approx(1))
    assert derived["welfare_share"] == pytest.approx(share, abs=0.005)


def test_the_efficient_value_serves_critical_needs_first():
    total = 0.0
    for needs in product((0, 1), repeat=6):
        chance = np.prod([0.3 if need else 0.7 for need in needs])
        values = sorted([3.0 if need else 1.0 for need in needs], reverse=True)
        total += chance * sum(values[:3])
    assert GAME.efficient_value(1.0, 3.0) == pytest.approx(total)
    assert 4.8 / total == pytest.approx(0.746, abs=5e-4)
