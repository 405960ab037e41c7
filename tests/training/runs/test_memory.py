"""Whether copies fit into memory: asked at the bound, of the seeds that are trained at once."""

from __future__ import annotations

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.config.load import load
from tacit.training.runs import memory


@pytest.fixture
def machine(monkeypatch):
    """A machine of 100 GB that trains three seeds at once; a seed needs a MB for each copy."""
    monkeypatch.setenv("TACIT_THREADS", "3")
    monkeypatch.setattr(memory, "memory", lambda: 100 * 10**9)
    monkeypatch.setattr(memory, "bytes_of_a_seed", lambda arm: arm.train.copies * 10**6)


def refused(copies: int, seeds: int) -> list[str]:
    experiment = load("ad_auction", [f"train.copies={copies}", f"seeds={seeds}"])
    try:
        memory.check_memory(experiment)
    except ConfigError as error:
        return error.mistakes
    return []


def test_eight_tenths_of_the_memory_may_be_used(machine):
    assert refused(80_000, seeds=1) == []
    assert refused(80_001, seeds=1) == [
        "arms.base.train.copies: 80,001 copies need about 80 GB for one seed; this machine has "
        "100 GB."
    ]


@pytest.mark.parametrize(("seeds", "side_by_side"), [(2, 2), (3, 3), (16, 3)])
def test_seeds_that_are_trained_side_by_side_need_their_memory_together(
    machine, seeds, side_by_side
):
    fits = 80_000 // side_by_side
    assert refused(fits, seeds) == []
    (line,) = refused(fits + 1, seeds)
    assert f"80 GB for {side_by_side} seeds side by side; " in line


def test_few_copies_are_not_asked_about(machine, monkeypatch):
    monkeypatch.setattr(memory, "bytes_of_a_seed", lambda arm: 10**15)
    assert refused(memory.ASKED_FROM - 1, seeds=1) == []
    assert len(refused(memory.ASKED_FROM, seeds=1)) == 1


def test_every_arm_that_does_not_fit_is_named(machine):
    arms = {name: {"train.copies": n} for name, n in (("a", 90_000), ("b", 10), ("c", 95_000))}
    with pytest.raises(ConfigError) as error:
        memory.check_memory(load({"market": "ad_auction", "seeds": 1, "arms": arms}))
    assert [line.partition(".train")[0] for line in error.value.mistakes] == ["arms.a", "arms.c"]


def test_a_seed_is_estimated_from_few_copies_and_its_save_counts_as_well(monkeypatch):
    """500 bytes once and 7 for each copy: twice that."""
    asked = []

    def size(arm, copies):
        asked.append(copies)
        return 500 + 7 * copies

    monkeypatch.setattr(memory, "_size", size)
    (arm,) = load("ad_auction", ["train.copies=20000"]).arms.values()
    assert memory.bytes_of_a_seed(arm) == 2 * (500 + 7 * 20_000)
    assert max(asked) == 1_001


def test_more_copies_are_larger_and_this_machine_has_memory():
    (arm,) = load("ad_auction", []).arms.values()
    memory._size(arm, 1)  # what is made once for all groups
    few, many = memory._size(arm, 1), memory._size(arm, 1_001)
    assert 0 < few < many
    assert 2**27 < memory.memory() < 2**50


@pytest.mark.parametrize("error", [AttributeError, ValueError, OSError])
def test_a_system_that_does_not_say_has_memory_without_an_end(monkeypatch, error):
    def unknown(name):
        raise error

    monkeypatch.setattr(memory.os, "sysconf", unknown)
    assert memory.memory() > 10**18
