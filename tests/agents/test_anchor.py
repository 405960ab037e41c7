"""Anchors: what they may be, and what is refused in words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tacit.agents.anchor import AnchorConfig, cloned_table
from tacit.agents.external.policy_file import card_of, write_policy
from tacit.agents.policy import mask, uniform
from tacit.envs.errors import ConfigError, build
from tacit.envs.registry import make_market
from tacit.training.config.load import load

MARKET = make_market("procurement")
SUPPLIER, BUYER = MARKET.seats


def anchor(policy, weight=0.1, **keys):
    return AnchorConfig(policy=str(policy), weight=weight, **keys)


def written(path, market=MARKET, seat="supplier_0", table=None, **origin):
    table = uniform(market.seat(seat).role) if table is None else table
    write_policy(path, table, card_of(market, seat, table, origin=origin))
    return path


def refused(config, *words, market=MARKET, seat=SUPPLIER):
    with pytest.raises(ConfigError) as caught:
        config.prior(market, seat)
    told = str(caught.value)
    assert f"agents.{seat.name}.anchor.policy" in told
    for word in words:
        assert word in told


# --- what a prior may be --------------------------------------------------------------------------


def test_a_floor_is_mixed_into_every_row():
    table = anchor("truthful", floor=0.2).prior(MARKET, SUPPLIER)
    script = anchor("truthful", "inf").prior(MARKET, SUPPLIER)
    np.testing.assert_allclose(table, 0.8 * script + 0.2 * uniform(SUPPLIER.role), atol=1e-15)


def test_a_policy_file_is_kept_by_its_hash(tmp_path, luck):
    legal = mask(SUPPLIER.role)
    raw = legal * luck.gamma(1.0, 1.0, legal.shape)
    table = raw / raw.sum(axis=1, keepdims=True)
    path = written(tmp_path / "p.safetensors", table=table)
    bound = anchor(path).bound(MARKET, SUPPLIER)
    np.testing.assert_array_equal(bound.prior(MARKET, SUPPLIER), table)
    written(path)
    refused(bound, "has changed", "Put the old file back")


def test_the_weight_may_be_infinite_in_yaml_s_words():
    for word in (float("inf"), "inf"):
        assert anchor("random", word).weight == "inf"
    for wrong in (-1, float("nan"), "much"):
        line = f"anchor.weight: must be a finite number of at least 0 or 'inf', got {wrong!r}."
        with pytest.raises(ConfigError, match=re.escape(line)):
            build(AnchorConfig, {"policy": "random", "weight": wrong}, "anchor")


# --- what is refused ------------------------------------------------------------------------------


def test_zeros_need_a_floor_where_the_weight_is_finite():
    refused(anchor("truthful"), "gives no mass to", "supplier_0", "stock plenty", "anchor.floor")
    for free in (anchor("truthful", 0), anchor("truthful", "inf"), anchor("truthful", floor=0.01)):
        free.prior(MARKET, SUPPLIER)


def test_rows_never_seen_need_a_floor(tmp_path):
    choices = np.flatnonzero(SUPPLIER.role.legal[:, 1] > 1)
    observations = np.repeat(choices[:1], 8)
    actions = SUPPLIER.role.legal[observations, 0] + np.arange(8) % 4
    table, unseen = cloned_table(SUPPLIER, observations, actions)
    np.testing.assert_allclose(table[choices[0]][:4], 0.25)
    assert unseen == choices[1:].tolist()
    path = written(tmp_path / "c.safetensors", table=table, unseen=unseen)
    refused(anchor(path), f"{len(unseen)} of its", "were never seen", "anchor.floor")
    anchor(path, floor=0.1).prior(MARKET, SUPPLIER)
    with pytest.raises(ConfigError, match="sample 0 is illegal"):
        cloned_table(SUPPLIER, choices[:1], np.array([6]))


def test_a_prior_of_another_market_grid_or_role(tmp_path):
    other = make_market("cheap_talk")
    path = tmp_path / "p.safetensors"
    refused(anchor(written(path, other, other.seats[0].name)), "for the market cheap_talk")
    finer = make_market("procurement", {"prices": [0.3, 0.4, 0.8]})
    refused(anchor(written(path, finer)), "price")
    refused(anchor(written(path, seat="buyer_0")), "of the file sees")
    refused(anchor(tmp_path / "none.safetensors"), "no such file")


def test_mistakes_in_an_experiment_are_told_with_their_key():
    def of(**keys):
        with pytest.raises(ConfigError) as caught:
            load("bluff_equilibrium", [f"agents.supplier.anchor.{k}={v}" for k, v in keys.items()])
        return str(caught.value)

    assert "Did you mean 'truthful'" in of(policy="truthfull", weight=0.1)
    assert "is no prior, scripted rule or policy file" in of(policy="truthfull", weight=0.1)
    assert "anchor.weight" in of(policy="random")
    assert "for a buyer, not for a supplier" in of(policy="buyer_people", weight=1, floor=0.1)
    assert "gives no mass to" in of(policy="supplier_diplomacy", weight=1)
