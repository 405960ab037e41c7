"""What the properties of `test_market_properties.py` need to know of each market.

CONFIGS: a strategy of configs. BALANCE: asserts after a round that all money paid was received and
that somebody has all that was created. SYMMETRIC: configs in which seats of a role are alike and no
draw is for a single seat. REORDER_STATE and `reordered`: the same game, its seats in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.markets.needed import Entries

from tacit.envs.ad_auction import positions as ad_auction
from tacit.envs.cloud_bandwidth import positions as cloud
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market
from tacit.envs.one_file import delivery_slots as slots
from tacit.envs.procurement import positions as procurement

Orders = Mapping[str, list[int]]  # role -> which of its seats becomes seat 0, 1, ..

# --- configs ---------------------------------------------------------------------------------

VALUES = st.one_of(
    st.fixed_dictionaries({"kind": st.just("common"), "value": st.floats(1, 50)}),
    st.fixed_dictionaries({"kind": st.just("uniform"), "high": st.floats(1, 50)}),
    st.fixed_dictionaries(
        {"kind": st.just("lognormal"), "cap": st.floats(1, 50), "levels": st.integers(2, 9)}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("list"),
            "values": st.lists(st.floats(1, 50), min_size=1, max_size=6, unique=True).map(sorted),
        }
    ),
    st.just({"kind": "list", "values": [1, 9], "cycle": [[0.5, 0.5], [1, 0], [0.1, 0.9]]}),
)


@st.composite
def auctions(draw) -> dict:
    bidders = draw(st.integers(2, 6))
    slots = draw(st.integers(1, bidders))
    rates = draw(st.lists(st.floats(0.01, 3), min_size=slots, max_size=slots))
    keys = {
        "bids": st.integers(1, 12),
        "price_mix": st.floats(0, 1),
        "reserve": st.floats(0, 0.5),
        "extra_bid": st.sampled_from(["none", "zero", "out"]),
        "publisher": st.booleans(),
        "observe": st.sampled_from(["none", "price"]),
        "chat": st.integers(0, 3),
        "ties": st.sampled_from(["sampled", "shared"]),
        "value": VALUES,
    }
    chosen = {key: draw(strategy) for key, strategy in keys.items()}
    rates.sort(reverse=True)
    return {"bidders": bidders, "slots": slots, "click_rates": rates, **chosen}


MONEY = st.floats(0, 1, allow_nan=False)
TENDERS = st.fixed_dictionaries(
    {
        "suppliers": st.integers(1, 3), "counters": st.booleans(), "cost": MONEY,
        "scarcity": st.sampled_from([0, 0.3, 1]), "outside_price": MONEY, "stockout_cost": MONEY,
        "wait_discount": st.floats(0.1, 1), "false_claim_fine": MONEY, "lead_cost": MONEY,
        "delay_cost": MONEY, "late_fine": MONEY, "false_urgency_fine": MONEY,
        "lead_times": st.sampled_from([[0], [0, 3], [5, 1, 1]]),
        "clause": st.sampled_from([None, {"cost": 0.1, "delay_cost": 0.4}]),
        "delays": st.sampled_from([None, {"probability": 0.6, "days": [2, 4]}]),
        "record": st.sampled_from(["none", "on_time"]), "brief": st.booleans(),
        "urgency": st.sampled_from([None, {"urgent": 1.5}]),
        "final": st.booleans(), "false_final_fine": MONEY,
    }
).map(lambda c: c | ({"urgency": {}} if c["brief"] else {})).map(
    lambda c: c | {"final": c["final"] and c["counters"] and c["suppliers"] < 3}
)  # fmt: skip


def solvable(config: dict[str, Any]) -> dict[str, Any]:
    """Without the capacity where homogeneous products and a binding one are refused together.

    Regions have no tenants, and with two remembered rounds a seat sees its own region only.
    """
    if config["regions"] > 1:
        observe = "region" if config["memory"] > 1 else config["observe"]
        config = config | {"tenants": 0, "observe": observe}
    alike = config["demand"] != "logit" or config["differentiation"] == 0
    peak = config["background_demand"] * (3 if config["surge"] else 1)
    binds = config["capacity"] is not None and config["capacity"] < peak
    return config | ({"capacity": None} if alike and binds and config["providers"] > 1 else {})


CLOUDS = st.fixed_dictionaries(
    {
        "providers": st.integers(1, 3),
        "regions": st.integers(1, 2),
        "observe": st.sampled_from(["all", "region"]),
        "prices": st.integers(2, 4),
        "price_range": st.tuples(st.floats(0, 1), st.floats(1.1, 3)).map(list),
        "demand": st.sampled_from(["logit", "unit", "linear"]),
        "differentiation": st.sampled_from([0.0, 0.05, 0.25, 2.0]),
        "outside_shock": st.sampled_from([0.0, 0.3]),
        "memory": st.integers(0, 2),
        "tenants": st.integers(0, 4),
        "capacity": st.sampled_from([None, 1, 2, 3]),
        "surge": st.sampled_from(
            [
                None,
                {"enter": 0.5, "leave": 0.5, "multiplier": 3},
                {"enter": 0.5, "lengths": [1, 3], "multiplier": [2, 3]},
            ]
        ),
        "headroom_claims": st.booleans(),
        "priority_surcharge": st.sampled_from([0.0, 0.3]),
        "background_demand": st.sampled_from([0.0, 0.8, 1.7]),
        "cost": st.sampled_from([1.0, 0.4]),
    }
).map(solvable)


TALKS = st.fixed_dictionaries(
    {"states": st.integers(2, 12), "actions": st.integers(2, 30), "bias": st.floats(0, 1)}
)
OUTPUTS = st.fixed_dictionaries(
    {
        "firms": st.integers(2, 4), "outputs": st.integers(2, 5), "cost": st.sampled_from([0, 40]),
        "output_range": st.tuples(st.floats(0, 20), st.floats(21, 50)).map(list),
        "demand_shock": st.sampled_from([0, 3.5, 60]), "demand": st.floats(260, 400),
        "monitoring": st.sampled_from(["perfect", "imperfect", "none"]),
    }
)  # fmt: skip
HIRES = st.fixed_dictionaries(
    {
        "tiers": st.lists(st.floats(0, 1), min_size=2, max_size=4, unique=True).map(sorted),
        "output": st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)).map(list),
        "outside": st.lists(
            st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), min_size=2, max_size=2
        ),
        "low_outside": st.tuples(st.floats(0, 1), st.floats(0, 1)).map(list),
        "share_b": st.floats(0.05, 0.95),
        "group_seen": st.booleans(),
    }
)
SLOTS = st.fixed_dictionaries(
    {
        "carriers": st.integers(1, 2), "shippers": st.integers(2, 3),
        "offers": st.lists(st.floats(0, 1), min_size=1, max_size=3, unique=True).map(sorted),
        "calm_value": st.floats(0, 0.5), "urgent_value": st.floats(0.5, 1.5),
        "urgent_probability": st.floats(0, 1), "false_claim_fine": MONEY,
        "claims_heard": st.booleans(),
    }
)  # fmt: skip
CONFIGS = Entries(
    "tests/support/properties.py: CONFIGS", {
    "ad_auction": auctions(), "procurement": TENDERS, "cloud_bandwidth": CLOUDS,
    "quantity_competition": OUTPUTS, "cheap_talk": TALKS, "hiring": HIRES,
    "delivery_slots": SLOTS,
}
)  # fmt: skip

# --- money -----------------------------------------------------------------------------------


def columns(engine: Engine) -> Callable[..., np.ndarray]:
    """A measure's column of some rows, zeros where the config lacks it."""
    at = engine.market.columns

    def of(name: str, rows: np.ndarray) -> np.ndarray:
        return rows[..., at[name]] if name in at else np.zeros(rows.shape[:-1])

    return of


def balance_of_auction(engine: Engine) -> None:
    """What bidders spend is what the seller receives; that and their profits were created."""
    of, n, m = columns(engine), engine.market.config.bidders, engine.measures
    bidders, whole = m[:, :n], m[:, -1]
    revenue = of("revenue", whole)
    np.testing.assert_allclose(of("spend", bidders).sum(axis=1), revenue, rtol=1e-12)
    if engine.market.config.publisher:
        np.testing.assert_array_equal(of("revenue", m[:, n]), revenue)
    profits = of("profit", bidders).sum(axis=1)
    np.testing.assert_allclose(
        profits + revenue, of("welfare", whole), atol=1e-12 * (revenue.max() + 1)
    )


def balance_of_tender(engine: Engine) -> None:
    """What all get is what the tender created; fines are received, or reported as burnt."""
    of, n, m = columns(engine), engine.market.config.suppliers, engine.measures
    suppliers, buyer, whole = m[:, :n], m[:, n], m[:, -1]
    gained = of("margin", suppliers).sum(axis=1) + of("surplus", buyer)
    np.testing.assert_allclose(gained, of("welfare", whole), atol=1e-12)
    for given, taken in (("booking", "price_paid"), ("late_days", "delay_days")):
        np.testing.assert_array_equal(of(given, suppliers).sum(axis=1), of(taken, buyer))
    for name in ("booking", "win"):
        np.testing.assert_array_equal(of(name, suppliers).sum(axis=1), of(name, whole))
    config = engine.market.config
    false = of("false_scarcity", suppliers) + of("false_plenty", suppliers)
    burnt = config.false_claim_fine * false.sum(axis=1)
    burnt += config.false_urgency_fine * of("false_urgency", buyer)
    if config.final:
        broken = of("false_final", suppliers).sum(axis=1) + of("false_final", buyer)
        burnt += config.false_final_fine * broken
        np.testing.assert_array_less(broken, 1.5)  # who breaks a word deals, and one deal is made
    np.testing.assert_allclose(of("fines_to_nobody", whole), burnt, atol=1e-12)


def balance_of_cloud(engine: Engine) -> None:
    """What is paid is received, what is created is somebody's, and capacity holds."""
    of, m, config = columns(engine), engine.measures, engine.market.config
    n = config.posts
    providers, tenants, whole = m[:, :n], m[:, n:-1], m[:, -1]
    price, quantity, revenue = (of(x, providers) for x in ("price", "quantity", "revenue"))
    profit, fines = of("profit", providers), of("fines", whole)
    spent = np.array(config.each(config.cost)) * quantity
    np.testing.assert_allclose(
        profit.sum(axis=1), (revenue - spent).sum(axis=1) - fines, atol=1e-12
    )
    np.testing.assert_allclose(of("revenue", whole), revenue.sum(axis=1), atol=1e-12)
    for i in range(n):
        mine = engine.rows.actions[:, n:] // 2 == i + 1
        paid = (of("payment", tenants) * mine).sum(axis=1)
        units = quantity[:, i] - (of("uptime", tenants) * mine).sum(axis=1)
        assert np.all(units >= -1e-12)  # what background consumers got
        np.testing.assert_allclose(revenue[:, i], paid + price[:, i] * units, atol=1e-12)
    created = profit.sum(axis=1) + fines + of("surplus", tenants).sum(axis=1)
    consumers = of("consumer_surplus", whole)
    assert np.all(consumers >= 0)
    np.testing.assert_allclose(of("welfare", whole), created + consumers, atol=1e-12)
    false = of("false_headroom", providers).sum(axis=1)
    np.testing.assert_allclose(fines, config.false_headroom_fine * false, atol=1e-12)
    if config.capacity is not None:
        assert np.all(quantity <= config.capacity + 1e-9)


def balance_of_talk(engine: Engine) -> None:
    """Both payoffs are the welfare, and follow from the error."""
    of, m, bias = columns(engine), engine.measures, engine.market.config.bias
    sender, receiver = of("payoff", m[:, 0]), of("payoff", m[:, 1])
    np.testing.assert_allclose(sender + receiver, of("welfare", m[:, -1]), atol=1e-12)
    error = of("error", m[:, 1])
    np.testing.assert_array_equal(error, of("error", m[:, -1]))
    np.testing.assert_allclose(receiver, -(error**2), atol=1e-12)
    sides = np.stack([(error - bias) ** 2, (-error - bias) ** 2])
    assert np.all(np.abs(sides + sender).min(axis=0) < 1e-12)


def balance_of_outputs(engine: Engine) -> None:
    """Buyers pay for every unit; that less its cost, and their surplus, is what was created."""
    of, m, config = columns(engine), engine.measures, engine.market.config
    firms, whole = m[:, :-1], m[:, -1]
    total = of("quantity", whole)
    np.testing.assert_allclose(of("quantity", firms).sum(axis=1), total, rtol=1e-12)
    profits = of("profit", firms).sum(axis=1)
    np.testing.assert_allclose(profits, (of("price", whole) - config.cost) * total, rtol=1e-9)
    created = profits + of("consumer_surplus", whole)
    np.testing.assert_allclose(of("welfare", whole), created, rtol=1e-12)
    assert np.all(of("price", whole) >= 0)


def balance_of_hiring(engine: Engine) -> None:
    """A wage is paid and received, what a hire creates is somebody's, and groups add up."""
    of, m, c = columns(engine), engine.measures, engine.market.config
    employer, candidate, whole = m[:, 0], m[:, 1], m[:, -1]
    surplus, welfare, hired = of("surplus", candidate), of("welfare", whole), of("hired", whole)
    np.testing.assert_allclose(of("profit", employer) + surplus, welfare, atol=1e-12)
    by_group = of("surplus_a", whole) * (1 - c.share_b) + of("surplus_b", whole) * c.share_b
    np.testing.assert_allclose(by_group, surplus, atol=1e-12)
    wages = np.array([0.0, *c.tiers])[(of("tier", employer) * hired).astype(int)]
    np.testing.assert_array_equal(of("hire_cost", employer), wages)
    made = of("profit", employer) + wages
    assert np.all(np.abs(made[:, None] - np.array([0.0, *c.output])).min(axis=1) < 1e-12)
    gap, tier = of("tier_gap", whole), of("tier", whole)
    np.testing.assert_allclose(gap * np.where(gap > 0, 1 - c.share_b, -c.share_b), tier)


def balance_of_slots(engine: Engine) -> None:
    """What a carrier takes, its shipper pays; values are created in early slots only."""
    of, m, c = columns(engine), engine.measures, engine.market.config
    carriers, shippers, whole = m[:, : c.carriers], m[:, c.carriers : -1], m[:, -1]
    early, revenue = of("early", shippers), of("revenue", carriers).sum(axis=1)
    np.testing.assert_allclose(revenue, (early * of("offer", shippers)).sum(axis=1), atol=1e-12)
    assert np.all(early.sum(axis=1) <= c.carriers)
    false = of("false_urgent", shippers) + of("false_calm", shippers)
    fines = of("fines", whole)
    np.testing.assert_allclose(fines, c.false_claim_fine * false.sum(axis=1), atol=1e-12)
    created = of("surplus", shippers) + early * of("offer", shippers) + c.false_claim_fine * false
    values = np.array([c.calm_value, c.urgent_value])
    assert np.all(np.abs(created[..., None] - values * early[..., None]).min(axis=-1) < 1e-12)
    np.testing.assert_allclose(of("welfare", whole) + fines, created.sum(axis=1), atol=1e-12)
    assert np.all(of("misplaced", whole) <= of("urgent_late", shippers).sum(axis=1))


BALANCE: dict[str, Callable[[Engine], None]] = Entries(
    "tests/support/properties.py: BALANCE",
    {
        "ad_auction": balance_of_auction,
        "procurement": balance_of_tender,
        "cloud_bandwidth": balance_of_cloud,
        "quantity_competition": balance_of_outputs,
        "cheap_talk": balance_of_talk,
        "hiring": balance_of_hiring,
        "delivery_slots": balance_of_slots,
    },
)

# --- seats in another order ------------------------------------------------------------------

SYMMETRIC: dict[str, list[dict[str, Any]]] = Entries(
    "tests/support/properties.py: SYMMETRIC", {
    "ad_auction": [
        {"bidders": 4, "bids": 3, "ties": "shared", "observe": "bids", "price_mix": 0.3},
        {"bidders": 3, "bids": 4, "ties": "shared", "observe": "price", "publisher": True,
         "value": {"kind": "uniform"}, "chat": 2, "slots": 2, "click_rates": [1.0, 0.4]},
    ],
    "procurement": [
        {"suppliers": 3, "prices": [0.3, 0.5], "lead_times": [0, 2], "late_fine": 0.1,
         "clause": {"delay_probability": 1}, "record": "on_time", "urgency": {}, "brief": True,
         "false_urgency_fine": 0.1},
        {"suppliers": 2, "prices": [0.3, 0.5, 0.7], "counters": False, "cost": 0.1},
        {"suppliers": 2, "prices": [0.3, 0.5], "final": True, "false_final_fine": 0.1},
    ],
    "cloud_bandwidth": [
        {"providers": 3, "prices": 3, "memory": 2, "outside_shock": 0.1},
        {"prices": 5, "memory": 2, "capacity": 0.4, "surge": {"multiplier": 3}},
        {"providers": 3, "prices": 4, "demand": "unit", "surge": {}, "headroom_claims": True},
        {"prices": 3, "tenants": 4, "priority_surcharge": 0.1, "headroom_claims": True,
         "critical_probability": 0.5, "surge": {}},
    ],
    "quantity_competition": [
        {"firms": 3, "outputs": 3, "output_range": [10, 60], "demand_shock": 20},
        {"firms": 3, "outputs": 4, "output_range": [10, 60], "monitoring": "imperfect"},
    ],
    "cheap_talk": [{}],  # one seat a role: nothing to reorder
    "hiring": [{}],  # the same
    "delivery_slots": [
        {"shippers": 4, "false_claim_fine": 0.1}, {"carriers": 2, "shippers": 3, "offers": [0, 1]}
    ],
}
)  # fmt: skip


def _state_of_auction(market: Market, state: np.ndarray, orders: Orders) -> np.ndarray:
    first, n = ad_auction.LAST_BIDS, market.config.bidders
    groups = range(first, state.shape[1], n)  # last bids; values; tokens
    columns = [start + i for start in groups for i in orders["bidder"]]
    return state[:, [*range(first), *columns]]


def _state_of_tender(market: Market, state: np.ndarray, orders: Orders) -> np.ndarray:
    first, width = procurement.SUPPLIERS, procurement.WIDTH
    columns = [first + i * width + k for i in orders["supplier"] for k in range(width)]
    behind = range(first + width * market.config.suppliers, state.shape[1])
    result = state[:, [*range(first), *columns, *behind]]
    stated = 2 * market.config.brief  # actions of the brief come before the responses
    words = translated(market, "buyer", orders)[stated:] - stated
    result[:, procurement.RESPONSE] = words[state[:, procurement.RESPONSE].astype(int)]
    return result


def _state_of_cloud(market: Market, state: np.ndarray, orders: Orders) -> np.ndarray:
    n, order = market.config.posts, orders["provider"]
    first, needs = cloud.POSTED, cloud.POSTED + 3 * n
    moved = [first + group * n + i for group in range(3) for i in order]
    tenants = [needs + t for t in orders.get("tenant", [])]
    result = state[:, [*range(first), *moved, *tenants]]
    past, digits = state[:, cloud.PAST].astype(int), []
    for _ in range(market.config.memory * n):  # the last provider's price is the lowest digit
        past, digit = np.divmod(past, market.config.prices)
        digits.insert(0, digit)
    result[:, cloud.PAST] = 0
    for round_ in range(market.config.memory):
        for i in order:
            result[:, cloud.PAST] *= market.config.prices
            result[:, cloud.PAST] += digits[round_ * n + i]
    return result


def _state_of_outputs(market: Market, state: np.ndarray, orders: Orders) -> np.ndarray:
    if market.config.monitoring != "perfect":  # the price is the same for all
        return state
    shape = (market.config.outputs,) * market.config.firms
    steps = np.unravel_index(state[:, 0].astype(int), shape)
    return np.ravel_multi_index([steps[i] for i in orders["firm"]], shape)[:, None].astype(float)


def _state_of_slots(market: Market, state: np.ndarray, orders: Orders) -> np.ndarray:
    width = slots.WIDTH
    columns = [i * width + k for i in orders["shipper"] for k in range(width)]
    result = state[:, columns]
    asked = range(slots.ASKED, result.shape[1], width)
    new_place = np.argsort(orders["carrier"]).astype(float)
    result[:, asked] = new_place[result[:, asked].astype(int)]
    return result


REORDER_STATE: dict[str, Callable[[Market, np.ndarray, Orders], np.ndarray]] = Entries(
    "tests/support/properties.py: REORDER_STATE",
    {
        "ad_auction": _state_of_auction,
        "procurement": _state_of_tender,
        "cloud_bandwidth": _state_of_cloud,
        "quantity_competition": _state_of_outputs,
        "cheap_talk": lambda market, state, orders: state,
        "hiring": lambda market, state, orders: state,
        "delivery_slots": _state_of_slots,
    },
)


def translated(market: Market, role: str, orders: Orders) -> np.ndarray:
    """Every action of a role in the other order: what names `supplier_1` names it as it is then."""
    renamed = {
        f"{other}_{i}": f"{other}_{order.index(i)}"
        for other, order in orders.items()
        for i in order
    }
    each, result = market.role(role), []
    for action in range(each.actions):
        parts = each.decode_action(action)
        for name, value in parts.items():
            if isinstance(value, str):
                parts[name] = " ".join(renamed.get(word, word) for word in value.split(" "))
        result.append(each.encode_action(**parts))
    return np.array(result)


def reordered(market: Market, actions: np.ndarray, orders: Orders) -> np.ndarray:
    """Joint actions [N, S] in the other order, in which actions that name seats are translated."""
    result = actions[:, seat_order(market, orders)]
    for seat in market.seats:
        words = translated(market, seat.role.name, orders)
        result[:, seat.index] = words[result[:, seat.index]]
    return result


def seat_order(market: Market, orders: Orders) -> list[int]:
    """Which seat of the market becomes seat 0, 1, .."""
    starts, first = {}, 0
    for role in market.roles:
        starts[role.name] = first
        first += role.seats
    return [starts[role.name] + i for role in market.roles for i in orders[role.name]]
