"""Policies as files: what is written comes back, and what does not fit is refused by name."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from tacit.agents.external.policy_file import (
    CARD,
    TENSOR,
    card_of,
    check_fits,
    read_policy,
    write_policy,
)
from tacit.agents.policy import table_hash, uniform
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = make_market("cloud_bandwidth", {"prices": 4})
SEAT = "provider_0"
WEIGHTS = rng.draws(rng.seed_key(0, rng.PROBE), 64).reshape(16, 4)
TABLE = WEIGHTS / WEIGHTS.sum(axis=1, keepdims=True)


def written(tmp_path, table=TABLE):
    path = tmp_path / "policy.safetensors"
    write_policy(path, table, card_of(MARKET, SEAT, table, origin={"script": "drawn"}))
    return path


def test_what_is_written_comes_back(tmp_path):
    path = written(tmp_path)
    table, card = read_policy(path)
    assert table.tobytes() == TABLE.tobytes()
    assert card == card_of(MARKET, SEAT, TABLE, origin={"script": "drawn"})
    assert card.table_hash == table_hash(TABLE)
    assert [tuple(part)[:2] for part in card.observation] == [
        ("phase", 1), ("last_price_0", 4), ("last_price_1", 4),
    ]  # fmt: skip
    check_fits(card, table, MARKET, "provider_1", path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = written(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        written(tmp_path, uniform(MARKET.roles[0]))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "config", "told"),
    [
        ("quantity_competition", {}, "is a policy for the market cloud_bandwidth, not for quan"),
        ("cloud_bandwidth", {"prices": 5}, r"sees last_price_0 \(4: .*; provider_0 here sees "
         r"last_price_0 \(5"),
        ("cloud_bandwidth", {"prices": 4, "memory": 0}, r"here sees memory \(1: none"),
    ],
)  # fmt: skip
def test_another_market_grid_or_parts_are_named(tmp_path, name, config, told):
    table, card = read_policy(written(tmp_path))
    market = make_market(name, config)
    with pytest.raises(ConfigError, match=told):
        check_fits(card, table, market, market.seats[0].name, "f")


def test_values_between_the_ends_count(tmp_path):
    _, card = read_policy(written(tmp_path))
    with pytest.raises(ConfigError, match="between the first and the last"):
        check_fits(replace(card, market_hash="0" * 64), TABLE, MARKET, SEAT, "f")


def test_another_cost_is_no_other_form():
    """A policy is a function of what its seat sees; the card still tells the two apart."""
    one, two = (make_market("quantity_competition", {"cost": c}) for c in (10.0, 11.0))
    table = uniform(one.roles[0])
    own, other = (card_of(market, "firm_0", table) for market in (one, two))
    assert own.market_hash == other.market_hash
    assert own.config_hash != other.config_hash
    check_fits(own, table, two, "firm_1", "f")


def spoilt(value, row=3):
    table = TABLE.copy()
    table[row] = value
    return table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (spoilt(np.nan), "row 3 holds NaN"),
        (spoilt([1.5, -0.5, 0, 0]), "row 3 holds a negative"),
        (spoilt(0.2), "row 3 sums to 0.8, not to 1"),
        (TABLE[None], "must be float64"),
        (TABLE.astype(np.float32), "must be float64"),
        (TABLE[::-1].copy(), "it was altered"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(tmp_path, table, told):
    path = written(tmp_path)
    _, card = read_policy(path)
    path.write_bytes(save({TENSOR: table}, {CARD: json.dumps(card.plain())}))
    with pytest.raises(ConfigError, match=told):
        read_policy(path)


def test_bad_tables_are_not_written(tmp_path):
    card = card_of(MARKET, SEAT, TABLE)
    with pytest.raises(ConfigError, match="another table"):
        write_policy(tmp_path / "p", uniform(MARKET.roles[0]), card)
    with pytest.raises(ConfigError, match="NaN"):
        write_policy(tmp_path / "p", spoilt(np.nan), card)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, 700, -1])
def test_a_file_that_was_cut_is_refused(tmp_path, keep):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ConfigError, match=r"cut|damaged"):
        read_policy(path)


def test_every_flipped_bit_of_the_table_is_seen(tmp_path):
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"altered|sums"):
        read_policy(path)


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"form": "other"}', '{"form": "tacit policy 1"}',
                                  "[" * 10**5])  # fmt: skip
def test_a_card_that_is_none_is_refused(tmp_path, card):
    path = tmp_path / "p"
    path.write_bytes(save({TENSOR: TABLE}, {CARD: card}))
    with pytest.raises(ConfigError, match="card"):
        read_policy(path)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, told in (
        ("none", "no such file"),
        ("pipe", "no ordinary"),
        (".", "no ordinary|directory"),
    ):
        with pytest.raises(ConfigError, match=told):
            read_policy(tmp_path / name)


def test_illegal_actions_and_unknown_seats_are_refused():
    market = make_market("procurement")
    table = uniform(market.roles[0])
    card = card_of(market, "supplier_0", table)
    wrong = np.full_like(table, 1 / table.shape[1])
    with pytest.raises(ConfigError, match="illegal"):
        check_fits(card, wrong, market, "supplier_0", "f")
    with pytest.raises(ConfigError, match="no seat 'supplier_9'"):
        check_fits(card, table, market, "supplier_9", "f")
    with pytest.raises(ConfigError, match="buyer_0 here sees"):
        check_fits(card, table, market, "buyer_0", "f")
