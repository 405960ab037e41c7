"""What holds in every round of every market of the registry: money, symmetry, claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.every_market import CONFIGS as FEW
from support.play import phases, random_actions
from support.properties import BALANCE, CONFIGS, REORDER_STATE, SYMMETRIC, reordered, seat_order

from tacit.envs.engine.engine import Engine
from tacit.envs.market import Claim, Market
from tacit.envs.registry import SHIPPED, make_market

EVERY = pytest.mark.parametrize("name", SHIPPED)


@EVERY
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_money_is_conserved(name, data, seed):
    market = make_market(name, data.draw(CONFIGS[name]))
    engine, luck = Engine(market, seeds=[seed], copies=16), np.random.default_rng(seed)  # noqa: TID251
    for phase in phases(engine, 4, luck):
        if phase == 0 and engine.round:
            BALANCE[name](engine)
    BALANCE[name](engine)


@EVERY
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_permuting_symmetric_seats_permutes_results(name, data, seed):
    """A second engine starts every phase from the reordered state and does the same, reordered."""
    market = make_market(name, data.draw(st.sampled_from(SYMMETRIC[name])))
    orders = {r.name: data.draw(st.permutations(range(r.seats)), r.name) for r in market.roles}
    engine, luck = Engine(market, seeds=[seed], copies=8), np.random.default_rng(seed)  # noqa: TID251
    mirrored = Engine(market, seeds=[seed], copies=8)
    engine.reset()
    mirrored.reset()
    rows = [*seat_order(market, orders), len(market.seats)]
    for _ in range(3):
        for _ in market.phases:
            mirrored.rows.state[:] = REORDER_STATE[name](market, engine.rows.state, orders)
            actions = random_actions(engine, luck)
            mirrored.rows.actions[:] = reordered(market, actions, orders)
            engine.step(actions)
            mirrored.advance()
        np.testing.assert_allclose(
            mirrored.measures, engine.measures[:, rows], rtol=1e-12, atol=1e-14
        )


# --- claims ----------------------------------------------------------------------------------

# (copy, seat) -> by how many values the claim exceeds the truth
Excess = dict[tuple[int, int], int]


def excess(market: Market, claim: Claim, engine: Engine, actions: np.ndarray) -> Excess:
    """What is claimed in this phase less what is true, for all who make the claim in it."""
    found: Excess = {}
    for seat in market.seats:
        if seat.role.name != claim.role:
            continue
        parts = {p.name: p for b in seat.role.blocks for p in (*b.sees, *b.does)}
        for r, (o, a) in enumerate(
            zip(engine.observations[:, seat.index], actions[:, seat.index], strict=True)
        ):
            said = seat.role.decode_action(int(a))
            if claim.part in said:
                true = seat.role.decode_observation(int(o))[claim.about]
                index = parts[claim.part].index(said[claim.part]) - parts[claim.about].index(true)
                found[r, seat.index] = index
    return found


# What is false by what its speaker does later, which no observation shows when it speaks.
ABOUT_ACTS = {"false_final"}


@EVERY
def test_a_claim_is_false_exactly_when_it_differs_from_the_private_part(name, luck):
    """In every config; and what is called false is declared as a claim."""
    declared, measured, wrong = set(), set(), 0
    for config in FEW[name]:
        market = make_market(name, config)
        engine = Engine(market, copies=32)
        declared |= {m for c in market.claims for m in (c.above, c.below) if m}
        measured |= {m.name for m in market.measures if m.roles and "false_" in m.name}
        engine.reset()
        for _ in range(5 * bool(market.claims)):
            claimed: dict[Claim, Excess] = {claim: {} for claim in market.claims}
            for _ in market.phases:
                actions = random_actions(engine, luck)
                for claim, found in claimed.items():
                    found |= excess(market, claim, engine, actions)
                engine.step(actions)
            for claim, found in claimed.items():
                assert found
                for (r, seat), above in found.items():
                    row = engine.measures[r, seat]
                    for side, is_false in ((claim.above, above > 0), (claim.below, above < 0)):
                        if side and claim.above != claim.below:
                            assert (row[market.columns[side]] > 0) == is_false
                    if claim.above and claim.above == claim.below:
                        assert row[market.columns[claim.above]] == (above != 0)
                    wrong += above != 0
    assert measured <= declared | ABOUT_ACTS
    assert bool(declared) == bool(wrong)
