"""Generators that Stable-Baselines3 shares with the whole process, put back as they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from stable_baselines3.common import utils

# Seeds of a run are threads of one process: one at a time may seed what all of them share.
_ALONE = threading.Lock()


@contextmanager
def torch_seeded(key: int) -> Iterator[None]:
    """torch's global generator, seeded; afterwards it goes on where it was."""
    with _ALONE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(key & 0x7FFF_FFFF_FFFF_FFFF)
        yield


@contextmanager
def all_kept() -> Iterator[None]:
    """For SB3's own `learn()`, which seeds and uses Python's, NumPy's and torch's generators:
    afterwards all three go on where they were."""
    with _ALONE, torch.random.fork_rng(devices=[]):
        python, numpy = utils.random, utils.np.random  # (the very modules that SB3 seeds)
        kept = python.getstate(), numpy.get_state()
        try:
            yield
        finally:
            python.setstate(kept[0])
            numpy.set_state(kept[1])
