"""Generators that Stable-Baselines3 shares with the whole process, restored after use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from stable_baselines3.common import utils

# Seeds of a run are threads of one process, and the generators belong to the process: one thread at
# a time may seed them.
_SEEDING = threading.Lock()


@contextmanager
def torch_seeded(key: int) -> Iterator[None]:
    """Seed torch's global generator by key; afterwards it continues where it was."""
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(key & 0x7FFF_FFFF_FFFF_FFFF)  # torch takes 63 bits
        yield


@contextmanager
def generators_restored() -> Iterator[None]:
    """Restore Python's, NumPy's and torch's generators afterwards.

    For SB3's own `learn()`, which seeds and uses all three.
    """
    with _SEEDING, torch.random.fork_rng(devices=[]):
        python, numpy = utils.random, utils.np.random  # the very modules that SB3 seeds
        saved = python.getstate(), numpy.get_state()
        try:
            yield
        finally:
            python.setstate(saved[0])
            numpy.set_state(saved[1])
