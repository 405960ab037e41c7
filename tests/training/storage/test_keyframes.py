"""States of a repetition on its way: which are kept under a budget, and that a save loses none."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.training.storage.keyframes import Keyframes, file_name, read_keyframes

STATE = 80  # bytes


def state(n):
    return {"a": np.full(4, n, np.float64), "b": np.full(6, n, np.int64)}


def kept(budget, points):
    frames = Keyframes(budget)
    for point in range(1, points + 1):
        if frames.wants(point):
            frames.add(point, 100 * point, state(point))
    return frames


@pytest.mark.parametrize(
    ("budget", "points", "rounds", "stride"),
    [
        (4 * STATE, 4, [100, 200, 300, 400], 1),
        (4 * STATE, 5, [200, 400], 2),
        (4 * STATE, 8, [200, 400, 600, 800], 2),
        (4 * STATE, 10, [400, 800], 4),
        (4 * STATE, 12, [400, 800, 1200], 4),
        (4 * STATE - 1, 4, [200, 400], 2),
        (STATE, 3, [200], 2),
        (STATE - 1, 3, [], 8),  # every state is larger than that
        (0, 5, [], 1),
    ],
)
def test_fewer_states_fit_evenly_spaced(budget, points, rounds, stride):
    frames = kept(budget, points)
    assert list(frames.states) == rounds
    assert frames.stride == stride or budget == STATE - 1
    assert all(frames.states[r]["b"][0] == r // 100 for r in rounds)


@pytest.mark.parametrize("cut", [1, 4, 5, 7, 11])
def test_what_goes_on_from_a_save_keeps_the_same(cut):
    whole, first = kept(4 * STATE, 14), kept(4 * STATE, cut)
    second = Keyframes(4 * STATE)
    numbers = {100 * point: point for point in range(1, 15)}
    second.restore(first.arrays(), numbers, first.stride)
    assert (list(second.states), second.stride) == (list(first.states), first.stride)
    for point in range(cut + 1, 15):
        if second.wants(point):
            second.add(point, 100 * point, state(point))
    assert (list(second.states), second.stride) == (list(whole.states), whole.stride)
    assert Keyframes(4 * STATE).arrays() == {}
    with pytest.raises(KeyError):
        Keyframes(0).restore(first.arrays(), {}, 1)


def test_files_of_branches_lie_side_by_side(tmp_path):
    frames = kept(4 * STATE, 3)
    frames.write(tmp_path)
    kept(4 * STATE, 1).write(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([file_name(0), file_name(2)])
    assert list(read_keyframes(tmp_path)) == [100, 200, 300]
    found = read_keyframes(tmp_path, 2)
    assert list(found) == [100]
    np.testing.assert_array_equal(found[100]["a"], np.ones(4))
    assert read_keyframes(tmp_path, 1) == {}
    Keyframes(0).write(tmp_path)  # nothing is kept: the file is removed
    assert read_keyframes(tmp_path) == {}
