"""What holds in every tender: conservation, symmetry, claims, draws; compiled beside plain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from play import phases, random_actions
from pure import pure
from tenders import FULL, SIMPLE

from tacit.envs import rng
from tacit.envs.engine import Engine
from tacit.envs.procurement import kernels
from tacit.envs.procurement.kernels import LEAD, STOCK, SUPPLIERS, URGENT, WIDTH
from tacit.envs.registry import make_market

money = st.floats(0, 1, allow_nan=False)
configs = st.fixed_dictionaries(
    {
        "suppliers": st.integers(1, 2), "counters": st.booleans(), "cost": money,
        "scarcity": st.sampled_from([0, 0.3, 1]), "outside_price": money, "stockout_cost": money,
        "wait_discount": st.floats(0.1, 1), "false_claim_fine": money, "lead_cost": money,
        "delay_cost": money, "late_fine": money, "false_urgency_fine": money,
        "lead_times": st.sampled_from([[0], [0, 3], [5, 1, 1]]),
        "clause": st.sampled_from([None, {"cost": 0.1, "delay_cost": 0.4}]),
        "record": st.sampled_from(["none", "on_time"]), "brief": st.booleans(),
    }
).map(lambda c: c | ({"urgency": {}} if c["brief"] else {}))  # fmt: skip


@given(configs, st.integers(0, 10_000))
def test_money_is_conserved(config, seed):
    """What suppliers and buyer get is what the tender created; fines are paid, or burnt by name."""
    market = make_market("procurement", config)
    engine, luck = Engine(market, seeds=[seed], copies=8), np.random.default_rng(seed)  # noqa: TID251
    for _ in phases(engine, 3, luck):
        if engine.phase:
            continue
        column = {name: engine.measures[:, :, k] for name, k in market.columns.items()}
        n = market.config.suppliers
        private_gain = column["margin"][:, :n].sum(1) + column["surplus"][:, n]
        np.testing.assert_allclose(private_gain, column["welfare"][:, -1], atol=1e-12)
        assert np.all(column["booking"][:, :n].sum(1) == column["price_paid"][:, n])
        assert np.all(column["win"][:, :n].sum(1) == column["win"][:, -1])
        assert np.all(column["late_days"][:, :n].sum(1) == column["delay_days"][:, n])


@given(st.integers(0, 10_000))
def test_permuting_symmetric_suppliers_permutes_results(seed):
    """Swap types, offers and responses of two equal suppliers: everything else swaps with them."""
    config = FULL | {"cost": 0.1, "clause": {"delay_probability": 1.0}}
    market = make_market("procurement", config)
    engine, luck = Engine(market, seeds=[seed], copies=8), np.random.default_rng(seed)  # noqa: TID251
    engine.reset()
    twin = Engine(market, seeds=[seed], copies=8)
    twin.reset()
    order = np.r_[
        :SUPPLIERS, SUPPLIERS + WIDTH : SUPPLIERS + 2 * WIDTH, SUPPLIERS : SUPPLIERS + WIDTH
    ]
    swapped = {}
    for r in range(market.role("buyer").actions):
        parts = market.role("buyer").decode_action(r)
        said = str(parts.get("response", ""))
        other = said.translate(str.maketrans("01", "10", "")) if " at " not in said else None
        if other is None:
            name, _, price = said.partition(" at ")
            other = f"{name.translate(str.maketrans('01', '10'))} at {price}"
        swapped[r] = market.role("buyer").encode_action(response=other) if said else r
    for _ in range(2):
        twin.rows.state[:] = engine.rows.state[:, order]
        for _ in market.phases:
            actions = random_actions(engine, luck)
            engine.step(actions)
            twin.step(np.array([[b, a, swapped[r]] for a, b, r in actions]))
        np.testing.assert_array_equal(engine.measures[:, [1, 0, 2, 3]], twin.measures)


@pytest.mark.parametrize("config", [{}, FULL, {"suppliers": 2, "lead_times": [0, 2]}])
def test_a_claim_is_false_exactly_when_it_differs_from_the_private_part(config, luck):
    market = make_market("procurement", config)
    engine = Engine(market, copies=64)
    truth: dict[tuple, object] = {}
    false = {"claim": ("false_scarcity", "false_plenty"), "stated_urgency": ("false_urgency",)}
    engine.reset()
    for _ in range(6):
        said: dict[tuple, object] = {}
        for _ in market.phases:
            actions = random_actions(engine, luck)
            for r in range(64):
                for seat in market.seats:
                    saw = seat.role.decode_observation(int(engine.observations[r, seat.index]))
                    did = seat.role.decode_action(int(actions[r, seat.index]))
                    for claim in market.claims:
                        if claim.part in did:
                            said[r, seat.index, claim.part] = did[claim.part]
                            truth[r, seat.index, claim.part] = saw[claim.about]
            engine.step(actions)
        for (r, s, part), word in said.items():
            own, true = engine.measures[r, s], truth[r, s, part]
            if part == "promise":
                assert own[market.columns["overpromise_days"]] == max(0, true - word)
            else:
                told = sum(own[market.columns[name]] for name in false[part])
                assert told == (word != true)
    assert said


@pytest.mark.parametrize("config", [{}, SIMPLE, FULL, {"suppliers": 3, "lead_times": [1, 4]}])
def test_compiled_kernels_agree_with_plain_python(config, luck):
    market = make_market("procurement", config)
    engine = Engine(market, copies=8)
    reset, observe, play = (pure(getattr(kernels, k)) for k in ("reset", "observe", "play"))
    rows = np.zeros((8, market.state_width))
    measures = np.zeros((8, len(market.seats) + 1, len(market.measures)))
    for r in range(8):
        reset(market.params, rows[r], np.uint64(rng.fold(engine.nature[r], 0)))
    engine.reset()
    for round_ in range(4):
        measures[:] = 0.0
        for phase in range(len(market.phases)):
            for r in range(8):
                seen = [observe(market.params, rows[r], phase, s.index) for s in market.seats]
                assert seen == engine.observations[r].tolist()
            actions = random_actions(engine, luck)
            for r in range(8):
                key = np.uint64(rng.moment(engine.nature[r], 0, round_, phase))
                play(market.params, rows[r], phase, actions[r], measures[r], key)
            engine.step(actions)
            np.testing.assert_array_equal(rows, engine.rows.state)
        np.testing.assert_array_equal(measures, engine.measures)


def test_what_is_said_shifts_no_draw():
    """The next tender's types are the same whatever happened in this one."""
    market = make_market("procurement", FULL)
    states = []
    for seed in (1, 2):
        engine = Engine(market, copies=32)
        for _ in phases(engine, 5, np.random.default_rng(seed)):  # noqa: TID251
            pass
        drawn = [SUPPLIERS + i * WIDTH + k for i in range(2) for k in (STOCK, LEAD)]
        states.append(engine.rows.state[:, [URGENT, *drawn]])
    np.testing.assert_array_equal(*states)
