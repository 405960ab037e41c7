"""The cloud market's rules, by hand-computed rounds and by what holds in every config."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from tacit.envs.cloud_bandwidth.measures import PROFIT
from tacit.envs.cloud_bandwidth.positions import POSTED
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

FLAT = {"price_range": [1.0, 2.0], "prices": 5}  # 1, 1.25, 1.5, 1.75, 2
POOL = {**FLAT, "providers": 1, "background_demand": 0, "tenants": 4, "capacity": 2}


def by_seat(engine: Engine, copy: int = 0) -> dict[str, dict[str, float]]:
    """Measures by seat and name."""
    market = engine.market
    names = [*((seat.name, seat.role.name) for seat in market.seats), ("market", "market")]
    return {
        name: {m.name: row[market.columns[m.name]] for m in market.measured(role)}
        for (name, role), row in zip(names, engine.measures[copy], strict=True)
    }


def cloud(rounds, copies: int = 1, **config) -> tuple[Engine, list[dict[str, dict[str, float]]]]:
    """Play rounds given as one dict of parts per seat; measures of every round (copy 0)."""
    market = make_market("cloud_bandwidth", config)
    engine, history = Engine(market, copies=copies), []
    engine.reset()
    for parts in rounds:
        for phase in range(len(market.phases)):
            actions = [
                seat.role.encode_action(**own) if market.acts(seat, phase) else 0
                for seat, own in zip(market.seats, parts, strict=True)
            ]
            waits = [seat.role.actions - 1 for seat in market.seats]
            actions = [
                a if market.acts(s, phase) else w
                for s, a, w in zip(market.seats, actions, waits, strict=True)
            ]
            engine.step(np.tile(actions, (copies, 1)))
        history.append(by_seat(engine))
    return engine, history


def posts(*prices: float) -> list[dict[str, float]]:
    return [{"price": p} for p in prices]


def ask(priority: str, provider: str = "provider_0") -> dict[str, str]:
    return {"provider": provider, "priority": priority}


# --- background demand -----------------------------------------------------------------------


def test_logit_shares_and_who_gets_what():
    _, (first,) = cloud([posts(1.5, 1.25)], **FLAT, cost=[1.0, 0.75])
    weights = [exp(0.5 / 0.25), exp(0.75 / 0.25)]
    total = sum(weights) + 1
    shares = [w / total for w in weights]
    for i, (price, cost) in enumerate([(1.5, 1.0), (1.25, 0.75)]):
        assert first[f"provider_{i}"] == pytest.approx(
            {"profit": (price - cost) * shares[i], "revenue": price * shares[i], "price": price,
             "quantity": shares[i], "price_change": 0}
        )  # fmt: skip
    surplus = 0.25 * log(total)
    profit = 0.5 * sum(shares)
    assert first["market"] == pytest.approx(
        {"revenue": 1.5 * shares[0] + 1.25 * shares[1], "price": 1.375, "quantity": sum(shares),
         "welfare": surplus + profit, "consumer_surplus": surplus}
    )  # fmt: skip


def test_price_change_is_one_s_own_and_starts_at_zero():
    engine, history = cloud([posts(1.5, 1.25), posts(1.0, 1.25)], **FLAT)
    assert [history[1][f"provider_{i}"]["price_change"] for i in range(2)] == [0.5, 0]
    engine.reset()
    engine.step(np.array([[0, 0]]))
    assert by_seat(engine)["provider_0"]["price_change"] == 0


@pytest.mark.parametrize(
    ("config", "prices", "quantities", "surplus"),
    [
        ({"differentiation": 0}, (1.25, 1.5), (1, 0), 0.75),
        ({"differentiation": 0}, (1.5, 1.5), (0.5, 0.5), 0.5),
        ({"differentiation": 0, "quality": [2.25, 2.0]}, (1.5, 1.25), (0.5, 0.5), 0.75),
        ({"differentiation": 0, "outside_quality": 0.4}, (1.75, 1.75), (0, 0), 0),
        ({"demand": "unit"}, (1.75, 1.5), (0, 1), 0.5),
        ({"demand": "unit"}, (2.0, 2.0), (0.5, 0.5), 0),
        ({"demand": "unit", "reservation_price": 1.4}, (1.5, 1.5), (0, 0), 0),
        ({"background_demand": 3, "demand": "unit"}, (1.5, 1.75), (3, 0), 1.5),
    ],
)
def test_homogeneous_demand(config, prices, quantities, surplus):
    _, (first,) = cloud([posts(*prices)], **FLAT, **config)
    sold = [first[f"provider_{i}"]["quantity"] for i in range(2)]
    assert sold == pytest.approx(list(quantities))
    assert first["market"]["consumer_surplus"] == pytest.approx(surplus)


def test_logit_stays_finite_and_tends_to_the_best_offer():
    prices = {"price_range": [1.0, 1000.0], "prices": 5}
    for mu in (1e-3, 1e-6):
        _, (first,) = cloud([posts(1.0, 1000.0)], **prices, differentiation=mu)
        assert first["provider_0"]["quantity"] == pytest.approx(1)
        assert first["market"]["consumer_surplus"] == pytest.approx(1)
        _, (nobody,) = cloud([posts(1000.0, 1000.0)], **prices, differentiation=mu)
        assert nobody["market"]["quantity"] == 0
        assert nobody["market"]["welfare"] == 0


def test_the_outside_shock_takes_three_values_equally_often():
    engine, _ = cloud([posts(1.5, 1.5)], copies=3000, **FLAT, outside_shock=0.25)
    values, counts = np.unique(engine.measures[:, 0, PROFIT], return_counts=True)
    weight = exp(0.5 / 0.25)
    expected = [0.5 * weight / (2 * weight + exp(h / 0.25)) for h in (0.25, 0, -0.25)]
    np.testing.assert_allclose(values, expected)
    assert np.all(np.abs(counts - 1000) < 5 * np.sqrt(3000 * 2 / 9))


def test_demand_beyond_capacity_goes_unserved():
    _, (first,) = cloud([posts(1.0, 1.0)], **FLAT, capacity=0.4)
    share = exp(4) / (2 * exp(4) + 1)
    own = first["provider_0"]
    assert own["quantity"] == pytest.approx(0.4)
    assert own["unserved"] == pytest.approx(share - 0.4)
    assert [own["utilisation"], own["sla_breach"]] == [1, 1]
    gain = 0.25 * log(2 * exp(4) + 1) / (2 * share)  # of each consumer who is served
    assert first["market"]["consumer_surplus"] == pytest.approx(0.8 * gain)


def test_surges_multiply_own_demand_and_follow_their_chain():
    market = make_market("cloud_bandwidth", {**FLAT, "surge": {"enter": 0.2, "leave": 0.5}})
    engine = Engine(market, copies=4000)
    engine.reset()
    loads = POSTED + 2
    for _ in range(3):
        before = engine.rows.state[:, loads : loads + 2].copy()
        share = before.mean()
        assert abs(share - 2 / 7) < 5 * np.sqrt(0.21 / 8000)
        engine.step(np.zeros((4000, 2), np.int64))
        after = engine.rows.state[:, loads : loads + 2]
        for load, chance in ((0, 0.2), (1, 0.5)):
            moved = (after != before)[before == load]
            assert abs(moved.mean() - chance) < 5 * np.sqrt(0.25 / moved.size)
        units = engine.measures[:, :2, market.columns["quantity"]]
        base = units[before == 0].min()
        np.testing.assert_allclose(units, base * (1 + before))


# --- memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "seen"),
    [
        (0, {"memory": "none"}),
        (1, {"last_price_0": 1.25, "last_price_1": 2.0}),
        (2, {"earlier_price_0": 1.5, "earlier_price_1": 1.0,
             "last_price_0": 1.25, "last_price_1": 2.0}),
    ],
)  # fmt: skip
def test_what_providers_remember(memory, seen):
    engine, _ = cloud([posts(1.75, 1.75), posts(1.5, 1.0), posts(1.25, 2.0)], **FLAT, memory=memory)
    role = engine.market.role("provider")
    assert [role.decode_observation(o) for o in engine.observations[0]] == [{"phase": 0} | seen] * 2
    last = engine.market.analysis.last_actions(
        engine.market.seats[0], int(engine.observations[0, 0])
    )
    assert last == ({"provider_0": 1, "provider_1": 4} if memory else None)


def test_the_first_memory_is_drawn_uniformly():
    engine = Engine(make_market("cloud_bandwidth"), copies=22_500)
    engine.reset()
    counts = np.bincount(engine.observations[:, 0], minlength=225)
    assert np.all(counts > 0)
    assert ((counts - 100.0) ** 2 / 100).sum() < 224 + 5 * np.sqrt(2 * 224)


@pytest.mark.parametrize("start", ["competitive", "collusive"])
def test_or_it_is_a_benchmark_s(start):
    market = make_market("cloud_bandwidth", {"start": start, "memory": 2, "cost": [1.0, 0.75]})
    engine = Engine(market)
    engine.reset()
    seat = market.seats[0]
    last = market.analysis.last_actions(seat, int(engine.observations[0, 0]))
    assert last == {s.name: market.analysis.benchmark_action(start, s, 0) for s in market.seats}
    assert engine.observations[0, 0] // 225 == engine.observations[0, 0] % 225


# --- tenants ---------------------------------------------------------------------------------


def needs(engine: Engine) -> np.ndarray:
    """Every tenant's need of the round just played, [N, tenants]."""
    n = engine.market.config.providers
    return engine.rows.state[:, POSTED + 3 * n :]


def test_priority_is_served_first_and_paid_whether_served_or_not():
    parts = [{"price": 1.5}, *[ask("critical")] * 3, ask("standard")]
    engine, _ = cloud([parts], copies=400, **POOL, priority_surcharge=0.1, critical_value=5)
    for copy in range(400):
        each = by_seat(engine, copy)
        tenants = [each[f"tenant_{t}"] for t in range(4)]
        served = [t["uptime"] for t in tenants]
        assert served[3] == 0
        assert sum(served) == 2
        for t, (own, need) in enumerate(zip(tenants, needs(engine)[copy], strict=True)):
            asked = t < 3
            paid = 1.5 * own["uptime"] + 0.1 * asked
            assert own["payment"] == pytest.approx(paid)
            assert own["surplus"] == pytest.approx((5 if need else 1) * own["uptime"] - paid)
            assert own["exaggeration"] == (asked and not need)
            assert own["critical_unserved"] == (need and not own["uptime"])
        assert each["provider_0"]["revenue"] == pytest.approx(3.3)
        assert each["provider_0"]["profit"] == pytest.approx(1.3)
        assert each["provider_0"]["unserved"] == 2
    served = engine.measures[:, 1:4, engine.market.columns["uptime"]].mean(axis=0)
    assert np.all(np.abs(served - 2 / 3) < 5 * np.sqrt(2 / 9 / 400))


def test_background_demand_shares_what_priority_leaves():
    config = POOL | {"background_demand": 4, "demand": "unit", "capacity": 3}
    parts = [{"price": 1.5}, ask("critical"), *[ask("standard")] * 2, ask("standard", "none")]
    engine, _ = cloud([parts], copies=2000, **config)
    column = engine.market.columns["uptime"]
    assert np.all(engine.measures[:, 1, column] == 1)
    assert np.all(engine.measures[:, 4, column] == 0)
    served = engine.measures[:, 2:4, column].mean(
        axis=0
    )  # two units for two tenants and four others
    assert np.all(np.abs(served - 1 / 3) < 5 * np.sqrt(2 / 9 / 2000))
    np.testing.assert_allclose(engine.measures[:, 0, engine.market.columns["quantity"]], 3)


def test_tenants_see_prices_claims_and_their_own_need():
    config = {**FLAT, "tenants": 2, "headroom_claims": True, "critical_probability": 0.5}
    market = make_market("cloud_bandwidth", config)
    engine = Engine(market, copies=50)
    engine.reset()
    provider = market.role("provider")
    said = [provider.encode_action(price=1.25, claim="tight"),
            provider.encode_action(price=2.0, claim="ample")]  # fmt: skip
    wait = market.role("tenant").actions - 1
    engine.step(np.tile([*said, wait, wait], (50, 1)))
    for copy in range(50):
        for t in range(2):
            seen = market.role("tenant").decode_observation(engine.observations[copy, 2 + t])
            need = ("standard", "critical")[int(needs(engine)[copy, t])]
            assert seen == {"phase": 1, "need": need, "price_0": 1.25, "price_1": 2.0,
                            "claim_0": "tight", "claim_1": "ample"}  # fmt: skip


def test_play_draws_only_where_it_says_so(luck):
    for config, draws in [
        ({}, False), ({"capacity": 0.4}, False), ({"headroom_claims": True}, False),
        ({"outside_shock": 0.1}, True), ({"surge": {}}, True), ({"tenants": 1}, True),
    ]:  # fmt: skip
        assert make_market("cloud_bandwidth", config).play_draws == draws


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"memory": 5}, "market.memory: must be less than or equal to 2, got 5."),
        ({"capacity": 0}, "market.capacity: must be greater than 0, got 0."),
        ({"capacity": -1}, "market.capacity: must be greater than 0, got -1."),
        ({"cost": [1, 2, 3]}, "market.cost: must have one entry for each of 2 providers, got 3"),
        ({"quality": "high"}, "market.quality: must be a finite number, or a list"),
        ({"critical_probability": 1.5}, "market.critical_probability: must be less than or equal"),
        ({"differentiation": 0, "capacity": 0.5}, "market.capacity: 0.5 binds (demand up to 1)"),
        ({"demand": "unit", "capacity": 0.5}, "market.capacity: 0.5 binds (demand up to 1)"),
        ({"price_range": [2, 1]}, "market.price_range: low must be below high, got [2.0, 1.0]."),
        ({"price_range": [1, 2], "prices": 1}, "market.price_range: one price needs low = high"),
        ({"providers": 1}, "market.price_range: missing. The grid lies around Nash"),
        ({"tenants": 2, "capacity": 1.5}, "market.capacity: must be a whole number with tenants"),
        ({"surge": {"entr": 1}}, "market.surge.entr: unknown key. Did you mean 'enter'?"),
        ({"tennants": 2}, "market.tennants: unknown key. Did you mean 'tenants'?"),
        ({"providers": 4, "memory": 2}, "market: a provider would see 2,562,890,625 observations"),
        ({"providers": 7, "tenants": 1, "memory": 0}, "market: a tenant would see 341,718,751"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_key(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("cloud_bandwidth", config)
    assert len(error.value.mistakes) == 1
    assert error.value.mistakes[0].startswith(message)


def test_too_many_observations_come_with_a_remedy():
    with pytest.raises(ConfigError, match="Use memory 1 or 0, fewer prices, or fewer providers"):
        make_market("cloud_bandwidth", {"providers": 4, "memory": 2})
    with pytest.raises(ConfigError, match="Use fewer providers, fewer prices, or no headroom"):
        make_market("cloud_bandwidth", {"providers": 7, "tenants": 1, "memory": 0})
