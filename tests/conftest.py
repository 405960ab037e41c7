"""What the tests share."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from tacit.agents import registry as agents
from tacit.emergence.registry import PROBES
from tacit.envs.plugins import REMEMBERED
from tacit.envs.registry import INSTALLED, MARKETS

# Same examples on every run and machine; compilation makes the first one slow.
settings.register_profile("tacit", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tacit")


MEMORY = Path("/dev/shm")


def pytest_configure() -> None:
    """Temporary folders lie in memory, where there is room for them; garbage waits; one thread.

    Runs sync every file that they write, some ten thousand times in all tests, and a disk takes a
    millisecond or more for each. Garbage is collected more seldom than Python does by itself, which
    took a twentieth of all time.
    """
    gc.set_threshold(50_000, 20, 20)
    # Networks of tests are too small to share between threads, which only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture
def luck() -> np.random.Generator:  # noqa: TID251 (not tacit's own draws: its tests must not lean on them)
    """A generator that always starts the same."""
    return np.random.default_rng(1729)  # noqa: TID251


@pytest.fixture
def registers() -> Iterator[None]:
    """For a test that registers markets, agents or probes: afterwards they are unknown again."""
    registries: tuple[dict, ...] = (
        MARKETS,
        agents.AGENTS,
        agents.SUMMARIES,
        agents.REGISTERED,
        PROBES,
        INSTALLED,
        REMEMBERED,
    )
    before = [dict(registry) for registry in registries]
    yield
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()
        registry.update(entries)


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage: collections during tests leave them out."""
    gc.collect()
    gc.freeze()
