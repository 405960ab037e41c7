"""Policy tables: what is legal, which rows are probabilities, how the engine draws from them."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.engine.policy_tables import by_seat, cumulative, mask, uniform
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

# A supplier of the tender sees its stock, or a counter, or nothing; it has offers and answers.
TENDER = make_market("procurement", {"suppliers": 2, "brief": False})
SUPPLIER, BUYER = TENDER.roles


def test_what_is_legal_lies_between_the_first_and_the_last_legal_action():
    for role in TENDER.roles:
        legal = mask(role)
        assert legal.shape == (role.observations, role.actions)
        for o, (first, count) in enumerate(role.legal):
            assert np.flatnonzero(legal[o]).tolist() == list(range(first, first + count))
            row = uniform(role)[o]
            assert row[legal[o]] == pytest.approx(np.full(count, 1 / count))
            assert row.sum() == pytest.approx(1.0)


def test_cumulative_rows_end_at_exactly_one_at_the_last_legal_action():
    tables = [uniform(seat.role) for seat in TENDER.seats]
    flat, at = cumulative(TENDER, tables), 0
    for seat, table in zip(TENDER.seats, tables, strict=True):
        rows = flat[at : at + table.size].reshape(table.shape)
        at += table.size
        for o, (first, count) in enumerate(seat.role.legal):
            assert (rows[o, :first] == 0.0).all()
            assert (rows[o, first + count - 1 :] == 1.0).all()
            steps = np.arange(1, count + 1) / count
            assert rows[o, first : first + count] == pytest.approx(steps)
    assert at == len(flat)


def test_a_seat_s_own_table_goes_before_its_role_s_and_none_is_uniform():
    own, shared = uniform(SUPPLIER), uniform(SUPPLIER)
    o = int(np.flatnonzero(SUPPLIER.legal[:, 1] > 1)[0])
    first = SUPPLIER.legal[o, 0]
    own[o], shared[o] = np.eye(SUPPLIER.actions)[[first, first + 1]]
    found = by_seat(TENDER, {"supplier": shared.tolist(), "supplier_1": own})
    assert np.array_equal(found[0], shared)
    assert np.array_equal(found[1], own)
    assert np.array_equal(found[2], uniform(BUYER))
    assert all(np.array_equal(t, uniform(s.role)) for t, s in
               zip(by_seat(TENDER, None), TENDER.seats, strict=True))  # fmt: skip


def changed(o, row):
    table = uniform(SUPPLIER)
    table[o] = row
    return table


def test_every_mistake_in_tables_is_told_with_its_row():
    choice = int(np.flatnonzero(SUPPLIER.legal[:, 1] > 1)[-1])
    first, count = SUPPLIER.legal[choice]
    plain = uniform(SUPPLIER)[choice]
    outside = next(a for a in range(SUPPLIER.actions) if not first <= a < first + count)
    negative, heavy, light, nan, illegal = (plain.copy() for _ in range(5))
    negative[first], negative[first + 1] = -0.5, plain[first] + plain[first + 1] + 0.5
    heavy[first] += 1e-3
    light[first] -= 1e-3
    nan[first] = np.nan
    illegal[first], illegal[outside] = 0.0, plain[first]
    for row in (negative, heavy, light, nan):
        with pytest.raises(ConfigError) as error:
            by_seat(TENDER, {"supplier": changed(choice, row)})
        (line,) = error.value.mistakes  # of two seats, once
        assert line.startswith(f"tables.supplier: row {choice} must be probabilities that sum to 1")
    with pytest.raises(ConfigError, match=f"row {choice} gives action {outside} a probability"):
        by_seat(TENDER, {"supplier_1": changed(choice, illegal)})
    with pytest.raises(ConfigError) as error:
        by_seat(TENDER, {"supplier_0": [[1.0]], "buyer": "x", "byer": plain, "supplier_1": nan})
    assert [line.partition(":")[0] for line in error.value.mistakes] == [
        "tables.byer", "tables.supplier_0", "tables.supplier_1", "tables.buyer",
    ]  # fmt: skip
    shape = (SUPPLIER.observations, SUPPLIER.actions)
    assert f"must be of shape {shape} (observations, actions), got (1, 1)" in str(error.value)


def test_rounding_in_a_row_is_no_mistake():
    row = uniform(SUPPLIER)[0] * (1 + 1e-12)
    assert np.array_equal(by_seat(TENDER, {"supplier_0": changed(0, row)})[0][0], row)
