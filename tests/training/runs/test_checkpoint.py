"""Checkpoints: exact, sealed, and refused where they were altered."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.errors import ConfigError
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_json

ARRAYS = {
    "q": np.linspace(-1e300, 1e300, 7),
    "nothing": np.array([np.nan, np.inf, -0.0, 5e-324]),
    "counts": np.arange(-3, 3, dtype=np.int64).reshape(2, 3),
    "greedy": np.array([[1], [2]], np.int32),
    "keys": np.array([2**64 - 1, 0], np.uint64),
    "none": np.zeros((0, 4)),
    "turned": np.arange(6.0).reshape(2, 3).T,  # not contiguous
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "new/folder/checkpoint.safetensors"
    checkpoint.save(path, ARRAYS, {"seed": 3, "measures": {"profit": 0.1}})
    return path


def test_a_round_trip_is_exact(saved):
    arrays, record = checkpoint.load(saved)
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == np.ascontiguousarray(array).tobytes()
    assert (record["seed"], record["measures"]["profit"]) == (3, 0.1)
    assert sorted(p.name for p in saved.parent.iterdir()) == [
        "checkpoint.json", "checkpoint.safetensors",
    ]  # fmt: skip


def test_any_flipped_bit_is_refused(saved):
    whole = saved.read_bytes()
    for where in (0, 9, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[where] ^= 0b100
        saved.write_bytes(bytes(data))
        assert checkpoint.finished(saved) is None
        with pytest.raises(ConfigError, match="does not match its SHA-256; it was cut or altered"):
            checkpoint.load(saved)
    saved.write_bytes(whole)
    assert checkpoint.finished(saved) is not None


@pytest.mark.parametrize("gone", ["checkpoint.json", "checkpoint.safetensors"])
def test_half_a_save_is_none(saved, gone):
    (saved.parent / gone).unlink()
    assert checkpoint.finished(saved) is None
    with pytest.raises(ConfigError, match="there is no finished checkpoint here"):
        checkpoint.load(saved)


def test_a_new_save_replaces_the_old_one_whole(saved):
    checkpoint.save(saved, {"q": np.zeros(2)}, {"seed": 4})
    arrays, record = checkpoint.load(saved)
    assert (list(arrays), record["seed"]) == (["q"], 4)


def test_json_refuses_what_json_has_no_word_for(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []
