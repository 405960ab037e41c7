"""The contract that every market keeps, in several configs each.

A new market adds its configs to `every_market.CONFIGS` and says in HIDDEN what its state keeps from
whom, in DRAWN which columns of it hold what was drawn for the coming round, and in STILL which
measures cannot move under a config.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from support.every_market import CASES
from support.independent.pure import assert_plays_as_in_pure_python, pure
from support.markets.needed import Entries
from support.play import phases, random_actions

from tacit.envs import cheap_talk, kpi
from tacit.envs.ad_auction import positions as ad_auction
from tacit.envs.cloud_bandwidth import positions as cloud
from tacit.envs.engine.engine import Engine
from tacit.envs.market import (
    Market,
    Part,
    Role,
    Seat,
)
from tacit.envs.one_file import delivery_slots, hiring
from tacit.envs.procurement import positions as procurement
from tacit.envs.registry import make_market

COPIES, ROUNDS = 64, 12


def hidden_ad_auction(market: Market, seat: Seat) -> list[int]:
    """Columns of the state that this seat must not see."""
    bids = [ad_auction.LAST_BIDS + i for i in range(market.config.bidders)]
    if seat.role.name == "publisher":
        return [ad_auction.PRICE, ad_auction.FLOOR, *bids, *luck_ad_auction(market)]
    times = [bids[-1] + 1 + 2 * market.config.bidders]  # (bidders see the time)
    observe = market.config.observe
    kept = {"none": [ad_auction.PRICE, *bids], "price": bids, "bids": [ad_auction.PRICE]}[observe]
    return kept + [
        column
        for column in luck_ad_auction(market)
        if column not in (bids[-1] + 1 + seat.index, *times)
    ]


def luck_ad_auction(market: Market) -> list[int]:
    """Columns of the state that hold what was drawn for the coming round."""
    first = ad_auction.LAST_BIDS + market.config.bidders
    bidders = market.config.bidders
    time = [first + 2 * bidders] if len(market.stages) > 1 else []
    return [*(first + i for i in range(bidders)), *time] if len(market.values) > 1 else []


def supplier_columns(market: Market, *columns: int, besides: int = -1) -> list[int]:
    """These columns of every supplier but one."""
    others = [i for i in range(market.config.suppliers) if i != besides]
    return [procurement.SUPPLIERS + i * procurement.WIDTH + k for i in others for k in columns]


def hidden_procurement(market: Market, seat: Seat) -> list[int]:
    private = (procurement.STOCK, procurement.LEAD)
    if seat.role.name == "supplier":
        everything = range(procurement.WIDTH)
        own = supplier_columns(market, procurement.RECORD)
        return [
            procurement.URGENT,
            *supplier_columns(market, *everything, besides=seat.index),
            *own,
        ]
    unseen = () if market.config.record == "on_time" else (procurement.RECORD,)
    return supplier_columns(market, *private, *unseen)


def still_procurement(market: Market) -> set[str]:
    c = market.config
    late = len(c.days) > 1 or c.delays
    fines = {"late": c.late_fine and late, "false": c.has_stock and c.false_claim_fine}
    moving = {
        "overpromise_days": len(c.days) > 1,
        "late_days delay_days": late,
        "false_scarcity false_plenty": c.has_stock,
        "clause_dropped customs_delay": c.clause,
        "stockout": c.counters,
        "false_urgency": c.brief,
        "fine": any(fines.values()) or (c.final and c.false_final_fine),
        "fines_to_nobody": fines["false"] or c.brief or (c.final and c.false_final_fine),
    }
    return {name for names, moves in moving.items() if not moves for name in names.split()}


DRAWN = {
    "ad_auction": luck_ad_auction,
    "procurement": lambda market: [
        procurement.URGENT, *supplier_columns(market, procurement.STOCK, procurement.LEAD)
    ],
    "cheap_talk": lambda market: [cheap_talk.STATE],
    "hiring": lambda market: [hiring.ABILITY, hiring.GROUP, hiring.OUTSIDE],
    "delivery_slots": lambda market: needs_of_shippers(market),
}  # fmt: skip
STILL = {
    "procurement": still_procurement,
    "delivery_slots": lambda market: set() if market.config.false_claim_fine else {"fines"},
}


def hidden_cloud_bandwidth(market: Market, seat: Seat) -> list[int]:
    n, tenants = market.config.posts, market.config.tenants
    posted, loads = cloud.POSTED, cloud.POSTED + n
    claims, needs = loads + n, loads + 2 * n
    surges = nature_of_cloud_bandwidth(market)[n:]  # multipliers and lengths: nobody sees them
    if market.config.timing == "alternating":
        return [cloud.PAST, posted + seat.index, *range(loads, needs)]
    if seat.role.name == "provider":
        past = [] if market.config.memory else [cloud.PAST]
        others = [loads + i for i in range(n) if i != seat.index]
        return [*past, *range(posted, loads), *others, *range(claims, needs + tenants), *surges]
    others = [needs + t for t in range(tenants) if n + t != seat.index]
    unheard = [] if market.config.headroom_claims else [*range(claims, needs)]
    return [cloud.PAST, *range(loads, claims), *unheard, *others, *surges]


def hidden_cheap_talk(market: Market, seat: Seat) -> list[int]:
    return [cheap_talk.MESSAGE if seat.role.name == "sender" else cheap_talk.STATE]


def hidden_hiring(market: Market, seat: Seat) -> list[int]:
    if seat.role.name == "candidate":
        return [hiring.GROUP]
    unseen = [] if market.config.group_seen else [hiring.GROUP]
    return [hiring.OUTSIDE, hiring.OFFERED, *unseen]


def needs_of_shippers(market: Market) -> list[int]:
    shippers = range(market.config.shippers)
    return [i * delivery_slots.WIDTH + delivery_slots.NEED for i in shippers]


def hidden_delivery_slots(market: Market, seat: Seat) -> list[int]:
    needs = needs_of_shippers(market)
    if seat.role.name == "shipper":
        own = needs[seat.index - market.config.carriers]
        return [column for column in range(market.state_width) if column != own]
    shift = delivery_slots.CLAIM - delivery_slots.NEED
    return needs + ([] if market.config.claims_heard else [column + shift for column in needs])


HIDDEN = Entries(
    "tests/envs/contract/test_market.py: HIDDEN",
    {
        "ad_auction": hidden_ad_auction,
        "procurement": hidden_procurement,
        "cloud_bandwidth": hidden_cloud_bandwidth,
        "quantity_competition": lambda market, seat: [],
        "cheap_talk": hidden_cheap_talk,
        "hiring": hidden_hiring,
        "delivery_slots": hidden_delivery_slots,
    },
)


def nature_of_cloud_bandwidth(market: Market) -> list[int]:
    n, surge = market.config.posts, market.config.surge
    drawn = range(cloud.POSTED + 3 * n + market.config.tenants, market.state_width)
    return [*range(cloud.POSTED + n, cloud.POSTED + 2 * n), *(drawn if surge else [])]


# columns of the state in which nature, not what anybody did, goes on from round to round
NATURE = {"cloud_bandwidth": nature_of_cloud_bandwidth}


@pytest.fixture(params=CASES)
def market(request) -> Market:
    return make_market(*request.param)


def some(count: int) -> range:
    """All of 0 .. count-1 where that is little, else about five hundred of them."""
    return range(0, count, max(1, count // 500))


def encode(role: Role, seen: dict) -> int:
    """A second way to an observation's index: its block's start, then its parts as digits."""
    for k, block in enumerate(role.blocks):
        given = {"phase": block.phase} | {part.name: value for part, value in block.given}
        if {p.name for p in block.sees} | set(given) == set(seen) and given.items() <= seen.items():
            index = 0
            for part in block.sees:
                index = index * len(part.values) + part.index(seen[part.name])
            return role.block_start(k) + index
    raise AssertionError(f"no block of {role.name} shows {seen}")


# --- tables ----------------------------------------------------------------------------------


def test_actions_decode_and_encode(market):
    for role in market.roles:
        for action in range(role.actions):
            assert role.encode_action(**role.decode_action(action)) == action
        for outside in (-1, role.actions):
            with pytest.raises(ValueError, match="is not in 0"):
                role.decode_action(outside)


def test_observations_decode_and_encode(market):
    for role in market.roles:
        for o in some(role.observations):
            assert encode(role, role.decode_observation(o)) == o
        with pytest.raises(ValueError, match="is not in 0"):
            role.decode_observation(role.observations)


def test_digits_are_within_the_space_and_tell_observations_apart(market):
    for role in market.roles:
        sizes = [len(part.values) for part in role.observation_parts]
        digits = np.array([role.observation_digits(o) for o in some(role.observations)])
        assert len(sizes) >= 2
        assert np.all((digits >= 0) & (digits < sizes))
        assert len(np.unique(digits, axis=0)) == len(digits)


def test_blocks_cover_every_phase_and_nothing_else(market):
    for role in market.roles:
        assert {b.phase for b in role.blocks} == set(range(len(market.phases)))
        assert sum(b.size for b in role.blocks) == role.observations == len(role.legal)
        for k, block in enumerate(role.blocks):
            start = role.block_start(k)
            for o in (start, start + block.size - 1):
                assert role.decode_observation(o)["phase"] == block.phase


def test_legal_actions_are_the_block_s_and_the_mask_says_so(market):
    for role in market.roles:
        for k, block in enumerate(role.blocks):
            names = {part.name for part in block.does}
            legal = [names == set(role.decode_action(a)) for a in range(role.actions)]
            for o in (role.block_start(k), role.block_start(k) + block.size - 1):
                assert role.mask(o).tolist() == legal
                assert role.legal[o].tolist() == [legal.index(True), sum(legal)]


def test_parts_find_their_values():
    part = Part("bid", (0.1, 0.2, 0.1 + 0.2), "a bid")
    assert part.index(0.3) == 2
    with pytest.raises(ValueError, match=r"bid: 0\.4 is not one of 0\.1, 0\.2"):
        part.index(0.4)


# --- play ------------------------------------------------------------------------------------


def test_seats_see_their_phase_and_wait_when_idle(market, luck):
    engine = Engine(market, copies=COPIES)
    for phase in phases(engine, ROUNDS, luck):
        for seat in market.seats:
            for o in np.unique(engine.observations[:, seat.index]):
                assert seat.role.decode_observation(o)["phase"] == phase
                first, count = seat.role.legal[o]
                if not market.acts(seat, phase):
                    assert (count, seat.role.decode_action(first)) == (1, {"wait": "wait"})


def test_hidden_state_changes_no_observation(market, luck):
    """Give a copy another copy's hidden columns, what others did included: it sees the same."""
    observe = pure(importlib.import_module(market.kernels).observe)
    engine = Engine(market, copies=COPIES)
    for phase in phases(engine, ROUNDS, luck):
        for seat in market.seats:
            hidden = HIDDEN[market.name](market, seat)
            mixed = engine.rows.state.copy()
            mixed[:, hidden] = np.roll(mixed[:, hidden], 1, axis=0)
            again = [observe(market.params, row, phase, seat.index) for row in mixed]
            assert again == engine.observations[:, seat.index].tolist()


def test_declared_measures_are_filled_for_those_who_have_them(market, luck):
    """Along random play every declared measure moves (unless it cannot, see STILL), and nobody has
    one that is not declared."""
    engine = Engine(market, copies=COPIES)
    total = np.zeros(engine.measures.shape[1:])
    for _ in phases(engine, ROUNDS, luck):
        total += np.abs(engine.measures).sum(axis=0)
    owners = [*(seat.role.name for seat in market.seats), "market"]
    still = STILL.get(market.name, lambda market: set())(market)
    declared = [
        [owner in m.roles and m.name not in still for m in market.measures] for owner in owners
    ]
    np.testing.assert_array_equal(total > 0, declared)


def test_only_measures_marked_past_depend_on_the_past(market, luck):
    """The same round, and luck, behind two histories: only measures marked `past` may differ."""
    engine, fresh = Engine(market, copies=COPIES), Engine(market, copies=COPIES)
    for _ in phases(engine, 4, luck):
        pass
    fresh.reset()
    fresh.round = engine.round
    drawn = DRAWN.get(market.name, lambda market: [])(market)
    fresh.rows.state[:, drawn] = engine.rows.state[:, drawn]
    nature = NATURE.get(market.name, lambda _: [])(market)
    fresh.rows.state[:, nature] = engine.rows.state[:, nature]
    for _ in market.phases:
        actions = random_actions(fresh, luck)
        for each in (engine, fresh):
            each.step(actions)
    differ = (engine.measures != fresh.measures).any(axis=(0, 1))
    past = np.array([m.past for m in market.measures])
    assert not differ[~past].any()
    assert differ[past].any() == past.any()


def test_pure_python_plays_the_same_bit_for_bit(market, luck):
    """The kernels uncompiled, in a loop that is not the engine's."""
    assert_plays_as_in_pure_python(market, kpi.resolve(market, None), luck, rounds=12)
