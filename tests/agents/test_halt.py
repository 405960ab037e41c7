"""A group that is told to halt ends after the round under way, and goes on with the same bits."""

from __future__ import annotations

import threading
import time

import pytest
from support.training_fixtures import arm

# Kernels with draws; a transition table; synchronous learners; copies with networks.
KINDS = {
    "kernels": ("volatility_kpi", "second_1", []),
    "looked_up": ("calvano_baseline", None, []),
    "synchronous": ("asker_updates", "synchronous", []),
    "networks": ("bluff_equilibrium", "scarcity_.1", ["train.copies=8"]),
}
LONG = 200_000_000  # rounds: minutes


@pytest.fixture(params=KINDS)
def trained(request):
    config, name, settings = KINDS[request.param]
    return arm(*settings, config=config, arms=[name] if name else [])


def test_it_ends_after_the_round_under_way(trained):
    group = trained.group(0)
    group.run(20)  # compiled, so that the thread is within its rounds at once
    done = []
    thread = threading.Thread(target=lambda: done.append(group.run(LONG)))
    thread.start()
    time.sleep(0.05)
    group.halt[0] = 1
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert 0 < done[0] < LONG
    assert group.rounds == 20 + done[0]
    assert group.run(5_000) == 1  # told to halt still


@pytest.mark.slow
def test_where_it_halts_changes_no_bit(trained):
    plain, halted = trained.group(0), trained.group(0)
    plain.run(3_000)
    halted.halt[0] = 1
    for _ in range(37):
        assert halted.run(3_000) == 1
    halted.halt[0] = 0
    assert halted.run(3_000 - 37) == 3_000 - 37
    other = halted.state()
    for name, array in plain.state().items():
        assert array.tobytes() == other[name].tobytes(), name
