"""A policy table acts on whatever a view hands out, and refuses what it cannot be sure of."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.agents.observation_index import ObservationIndex
from tacit.agents.policy import deterministic, uniform
from tacit.agents.table_policy import TablePolicy
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKETS = [
    ("ad_auction", {"observe": "price", "publisher": True}),
    ("procurement", {"suppliers": 2, "prices": [0.3, 0.5]}),
    ("cheap_talk", {}),
    ("cloud_bandwidth", {"differentiation": 0, "tenants": 2, "prices": 3}),
]


def forms(role, digits):
    """Rows of digits `[N, parts]` in every form that a view hands out."""
    sizes = [len(part.values) for part in role.observation_parts]
    one_hot = np.concatenate([np.eye(n)[column] for n, column in zip(sizes, digits.T)], axis=1)  # noqa: B905
    box = digits / np.maximum(np.array(sizes) - 1, 1)
    return {
        "digits": digits,
        "int8 digits": digits.astype(np.int8),
        "one-hot": one_hot.astype(np.float32),
        "int8 one-hot": one_hot.astype(np.int8),
        "box": box.astype(np.float32),
        "box in float64": box,
    }


@pytest.mark.parametrize(("name", "config"), MARKETS, ids=[name for name, _ in MARKETS])
def test_every_form_of_every_observation_is_its_row(name, config):
    for role in make_market(name, config).roles:
        rows = np.arange(0, role.observations, max(1, role.observations // 200))
        digits = np.stack([role.observation_digits(int(o)) for o in rows])
        index = ObservationIndex(role)
        for form, given in forms(role, digits).items():
            found, single = index(given)
            np.testing.assert_array_equal(found, rows, form)
            assert not single
            assert index(given[-1])[0].tolist() == [rows[-1]], form
            assert index({"observation": given[0], "action_mask": None}) == ([rows[0]], True)
        for scalar in (int(rows[-1]), np.int32(rows[-1]), np.array(rows[-1])):
            assert index(scalar) == ([rows[-1]], True)


@pytest.fixture(scope="module")
def market():
    return make_market("ad_auction", {"observe": "price"})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (99, "index 99 of a bidder is not in 0 .. 19."),
        (-1, "index -1 of a bidder is not in 0 .. 19."),
        (True, "got True, which is no whole number."),
        (0.5, "got 0.5, which is no whole number."),
        (None, "got None."),
        ("x", "got 'x'."),
        ([[0, 1], [0]], "got a list."),
        (np.arange(5), "5 whole numbers are neither the 3 digits nor the 22 one-hot numbers"),
        (np.zeros(4), "got float64 of shape (4,)."),
        (np.zeros((0, 3)), "got an array of shape (0, 3)."),
        ([0, 0, 99], "digit 99 of "),
        ([0.0, 0.0, 3.0], "is 3, which is no digit / "),
        ([0.0, 0.0, np.nan], "got numbers that are not finite."),
        ({"obs": 1}, "got a dict with the keys ['obs']."),
        (np.full(22, 2), "a one-hot vector with other numbers than 0 and 1."),
        (np.zeros(22), "a one-hot vector whose part phase is not one 1."),
    ],
)
def test_what_is_no_observation_is_refused_in_one_line(market, given, told):
    with pytest.raises(ConfigError) as error:
        ObservationIndex(market.role("bidder"))(given)
    (line,) = error.value.mistakes
    assert line.startswith("observation: ")
    assert told in line


def test_digits_that_nobody_sees_are_refused():
    """In another phase a part that is not shown is 0."""
    role = make_market("procurement", {}).role("supplier")
    digits = role.observation_digits(0)
    names = [part.name for part in role.observation_parts]
    digits[names.index("counter")] = 1  # is shown in phase 2 only
    with pytest.raises(ConfigError, match="no supplier ever sees the digits"):
        ObservationIndex(role)(digits)


def test_it_acts_as_its_table_says(market):
    role = market.role("bidder")
    actions = np.arange(role.observations) % role.actions
    policy = TablePolicy(market, "bidder_1", deterministic(role, actions))
    digits = np.stack([role.observation_digits(o) for o in range(role.observations)])
    assert policy.act(digits).tolist() == actions.tolist()
    assert policy.act(digits[7]) == 7
    assert isinstance(policy.act(digits[7]), int)
    assert policy.decode(7) == role.decode_action(7)
    np.testing.assert_array_equal(np.asarray(policy), policy.table())
    assert repr(policy) == "TablePolicy(bidder_1, 20 observations, 19 actions)"


def test_a_mixed_table_is_sampled_by_its_seed_and_its_legal_actions_alone():
    market = make_market("procurement", {})
    role = market.role("supplier")
    policy = TablePolicy(market, "supplier_0", uniform(role), seed=3)
    rows = np.repeat(np.arange(role.observations), 50)
    digits = np.stack([role.observation_digits(int(o)) for o in rows])
    first, again = policy.act(digits), policy.act(digits)
    assert (first != again).any()
    assert (policy.table()[rows, first] > 0).all()
    policy.reseed(3)
    np.testing.assert_array_equal(policy.act(digits), first)
    start = policy.act(digits[:1], deterministic=True)
    assert start == role.legal[0, 0]
    share = np.bincount(first, minlength=role.actions) > 0
    assert share.all()  # every action is legal somewhere, and was drawn
    np.testing.assert_allclose(policy.probabilities(digits).sum(axis=1), 1.0)


def test_a_policy_is_checked_when_it_is_made(market):
    with pytest.raises(ConfigError, match=r"tables.bidder_0: must be of shape \(20, 19\)"):
        TablePolicy(market, "bidder_0", np.ones((2, 2)))
    with pytest.raises(KeyError, match="Did you mean 'bidder_0'"):
        TablePolicy(market, "bider_0", np.ones((20, 19)))
