"""Surges, draw by draw: what begins, ends and is drawn, from the draws themselves."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.pure import pure

from tacit.envs import rng
from tacit.envs.cloud_bandwidth import surges

BLOCK, PROVIDERS, LOADS = 3, 2, 1  # where the block, and the loads, begin
DRAWN = LOADS + PROVIDERS
KEYS = [np.uint64(97 * k + 5) for k in range(300)]
begin, advance = pure(surges.begin_surges), pure(surges.advance_surges)
u, below = pure(rng.u), pure(rng.below)


def block(enter=0.3, leave=0.4, multipliers=(2.0,), lengths=()):
    head = [enter, leave, len(multipliers), len(lengths), *multipliers, *lengths]
    return np.array([np.nan] * BLOCK + head)


def begun(params, key, fill=9.0):
    state = np.full(DRAWN + 2 * PROVIDERS, fill)
    begin(params, state, key, BLOCK, PROVIDERS, LOADS, DRAWN)
    return state


def after(params, state, key):
    state = np.array(state, float)
    advance(params, state, key, BLOCK, PROVIDERS, LOADS, DRAWN)
    return state


def test_a_load_begins_as_in_the_long_run():
    """A share enter / (enter + leave); with lengths, 1 / mean length in place of leave."""
    for params, share in (
        (block(), 0.3 / 0.7),
        (block(lengths=(2, 3, 7)), 0.3 / (0.3 + 1 / 4)),
        (block(enter=0.0), 0.0),
        (block(leave=0.0), 1.0),
    ):
        for key in KEYS[:100]:
            loads = begun(params, key)[LOADS : LOADS + PROVIDERS]
            assert loads.tolist() == [u(key, surges.LOAD + i) < share for i in range(PROVIDERS)]
        assert begun(params, KEYS[0])[0] == 9.0  # what lies before the loads


def test_what_is_drawn_at_the_beginning_is_a_round_of_the_listed_surges():
    lengths, multipliers = (1, 4, 2), (1.5, 2.0, 3.0)
    params = block(multipliers=multipliers, lengths=lengths)
    left = [k + 1 for length in lengths for k in range(length)]  # by round, end to end
    for key in KEYS:
        drawn = begun(params, key)[DRAWN:]
        for i in range(PROVIDERS):
            assert drawn[i] == below(key, surges.MULTIPLIER + i, 3)
            assert drawn[PROVIDERS + i] == left[below(key, surges.LENGTH + i, 7)]
    every = {tuple(begun(params, key)[[DRAWN, DRAWN + PROVIDERS]]) for key in KEYS}
    assert every == {(m, r) for m in range(3) for r in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ({}, 0),  # one multiplier, no lengths: nothing is drawn
        ({"multipliers": (2.0, 4.0)}, 1),
        ({"lengths": (3,)}, 2),
    ],
)
def test_nothing_is_written_that_is_not_drawn(keys, columns):
    params = block(enter=1.0, **keys)
    calm = [9.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0]
    for state in (begun(params, KEYS[0]), after(params, calm, KEYS[0])):
        written = (state[DRAWN:].reshape(2, PROVIDERS) != 9.0).all(axis=1)
        assert written.tolist() == [columns > 0, columns > 1]


def test_a_calm_provider_enters_by_its_own_draw():
    params = block()
    for key in KEYS[:100]:
        state = after(params, [9.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0], key)
        expected = [u(key, surges.LOAD + i) < 0.3 for i in range(PROVIDERS)]
        assert state[LOADS:DRAWN].tolist() == expected


def test_a_surge_leaves_by_its_own_draw():
    params = block()
    for key in KEYS[:100]:
        state = after(params, [9.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0], key)
        expected = [u(key, surges.LOAD + i) >= 0.4 for i in range(PROVIDERS)]
        assert state[LOADS:DRAWN].tolist() == expected


def test_a_surge_of_a_listed_length_ends_when_its_rounds_are_over():
    """Whatever is drawn: provider 0 has one round left, provider 1 two."""
    params = block(leave=1.0, lengths=(2, 3), multipliers=(2.0, 4.0))
    for key in KEYS[:20]:
        state = after(params, [9.0, 1.0, 1.0, 1.0, 0.0, 1.0, 2.0], key)
        assert state.tolist() == [9.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
        state = after(params, state, key)
        assert state[LOADS + 1] == 0.0


def test_length_and_multiplier_are_drawn_as_a_surge_begins():
    params = block(enter=1.0, lengths=(2, 5), multipliers=(2.0, 4.0, 8.0))
    for key in KEYS[:50]:
        state = after(params, [9.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0], key)
        for i in range(PROVIDERS):
            assert state[DRAWN + i] == below(key, surges.MULTIPLIER + i, 3)
            assert state[DRAWN + PROVIDERS + i] == (2, 5)[below(key, surges.LENGTH + i, 2)]


def test_the_multiplier_is_the_one_that_was_drawn_or_the_only_one():
    several, one = block(multipliers=(2.0, 4.0, 8.0)), block(multipliers=(3.0,), lengths=(2, 4))
    for step, expected in enumerate((2.0, 4.0, 8.0)):
        state = np.array([0.0, 1.0, step])
        assert pure(surges.multiplier)(several, state, BLOCK, 2) == expected
        assert pure(surges.multiplier)(one, state, BLOCK, 2) == 3.0
