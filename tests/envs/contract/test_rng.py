"""The draws: uniform along every counter, independent between neighbours, the same everywhere."""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
import pytest
from scipy import stats
from support.independent.pure import pure

from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

AXES = ("seed", "copy", "episode", "round", "phase", "slot")
BINS = 256
M1, M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
WORD = 2**64


@numba.njit
def draw(which, c):
    """The draw at counters `c`, in the order of AXES."""
    key = rng.moment(rng.fold(rng.stream(c[0], which), c[1]), c[2], c[3], c[4])
    return rng.u(key, c[5])


@numba.njit
def along(axis, which, base, out):
    """Fill `out` with draws whose counters are `base`, but for `axis`, which runs on from there."""
    counters = base.copy()
    for k in range(len(out)):
        out[k] = draw(which, counters)
        counters[axis] += 1


def draws(axis: str, count: int, base=(3, 5, 1, 2, 0, 4), which: int = rng.NATURE) -> np.ndarray:
    out = np.empty(count)
    along(AXES.index(axis), which, np.array(base), out)
    return out


def chi_square(u: np.ndarray) -> float:
    """p-value of equal counts in equal bins."""
    return stats.chisquare(np.bincount((u * BINS).astype(int), minlength=BINS)).pvalue


@pytest.mark.parametrize("axis", AXES)
def test_a_million_draws_are_uniform(axis):
    p = chi_square(draws(axis, 2**20))
    assert 1e-4 < p < 1 - 1e-4  # too even is as bad as too uneven


@pytest.mark.parametrize("axis", AXES)
def test_neighbouring_keys_are_uncorrelated(axis):
    u = draws(axis, 2**20)
    for lag in (1, 2):
        r = np.corrcoef(u[:-lag], u[lag:])[0, 1]
        assert abs(r) * np.sqrt(len(u)) < 5


@pytest.mark.parametrize("axis", ["copy", "episode", "round", "phase", "slot"])
def test_p_values_over_seeds_are_uniform(axis):
    p = [chi_square(draws(axis, 2**14, base=(seed, 0, 0, 0, 0, 0))) for seed in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_streams_share_nothing():
    streams = (rng.NATURE, rng.ACTION, rng.EXPLORATION, rng.MINIBATCH, rng.INITIAL, rng.PROBE,
               rng.LOOKAHEAD)  # fmt: skip
    table = np.array([draws("round", 2**14, which=which) for which in streams])
    assert len(np.unique(table)) == table.size
    between = np.corrcoef(table) - np.eye(len(streams))
    assert np.abs(between).max() * np.sqrt(table.shape[1]) < 5


def test_no_two_counters_share_a_draw():
    """Small counters in every place: episode 1, round 2 is not episode 2, round 1."""
    grid = np.array(list(product(range(4), repeat=len(AXES))))
    assert len({draw(rng.NATURE, counters) for counters in grid}) == 4 ** len(AXES)


def test_no_draw_is_the_key_of_something_else():
    """`fold` and `u` walk their key with different constants, so a slot is never a child."""
    key = rng.seed_key(0, rng.NATURE)
    children = {rng.fold(key, n) >> 11 for n in range(4096)}
    assert children.isdisjoint(int(rng.u(key, slot) * 2.0**53) for slot in range(4096))


def test_compiled_and_pure_agree_bit_for_bit(luck):
    fold, moment, u, stream = (pure(f) for f in (rng.fold, rng.moment, rng.u, rng.stream))
    extremes = [(0,) * 6, (2**62,) * 6, (2**63 - 1, 0, 2**31, 2**40, 1, 2**20)]
    cases = [*extremes, *luck.integers(0, 2**40, (500, 6)).tolist()]
    for case in cases:
        seed, copy, episode, round_, phase, slot = case
        key = moment(fold(stream(seed, rng.PROBE), copy), episode, round_, phase)
        assert u(key, slot) == draw(rng.PROBE, np.array(case))


def unmix(z: int) -> int:
    """The inverse of `rng.mix`, in Python integers."""
    z ^= z >> 31 ^ z >> 62
    z = z * pow(M2, -1, WORD) % WORD
    z ^= z >> 27 ^ z >> 54
    z = z * pow(M1, -1, WORD) % WORD
    return z ^ z >> 30 ^ z >> 60


def test_mix_is_a_bijection(luck):
    for z in [0, 1, WORD - 1, *luck.integers(0, WORD, 200, dtype=np.uint64).tolist()]:
        assert unmix(int(rng.mix(np.uint64(z)))) == z


@pytest.mark.parametrize("slot", [0, 1, 7])
def test_u_stays_below_one_and_below_stays_below_n(slot):
    """The keys of the smallest and the largest draw, found by running the mixing backwards."""
    step = int(rng._DRAW) * (slot + 1)
    smallest, largest = (np.uint64((unmix(z) - step) % WORD) for z in (0, WORD - 1))
    assert rng.u(smallest, slot) == 0.0
    assert rng.u(largest, slot) == 1 - 2.0**-53
    for n in (1, 2, 3, 1000, 2**40):
        assert rng.below(smallest, slot, n) == 0
        assert rng.below(largest, slot, n) == n - 1


def test_copy_keys_are_seed_major():
    keys = rng.copy_keys([4, 9], 3, rng.ACTION)
    assert keys.shape == (6,)
    assert keys[5] == np.uint64(rng.fold(rng.seed_key(9, rng.ACTION), 2))
    np.testing.assert_array_equal(keys[3:], rng.copy_keys([9], 3, rng.ACTION))


def test_leaving_a_draw_out_shifts_no_other():
    """A first round with and without a tie: all later ties fall the same way."""
    tie, clear = np.array([[3, 3]] * 64), np.array([[3, 4]] * 64)
    winners = []
    for first in (tie, clear):
        engine = Engine(make_market("ad_auction"), copies=64)
        engine.reset()
        engine.step(first)
        wins = []
        for _ in range(20):
            engine.step(tie)
            wins.append(engine.rewards > 0)
        winners.append(np.array(wins))
    np.testing.assert_array_equal(*winners)
    assert 0.4 < winners[0][:, :, 0].mean() < 0.6


def test_draws_at_once_are_the_draws_one_by_one():
    key = rng.seed_key(5, rng.PROBE)
    assert rng.draws(key, 500).tolist() == [rng.u(key, slot) for slot in range(500)]


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1, 0x0123456789ABCDEF])
def test_one_child_is_that_of_arrays_and_of_kernels(key):
    for n in (0, 1, 7, 2**20, 2**40 + 3):
        child = rng.child_key(np.uint64(key), n)
        assert isinstance(child, np.uint64)
        assert child == rng.child_keys(np.array([key], np.uint64), np.array([n]))[0]
        assert child == rng.fold(np.uint64(key), n)
