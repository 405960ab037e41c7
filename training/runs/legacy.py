"""Names that runs of version 0.1.0 used before they got their present ones.

Runs on disk are never rewritten: `checkpoint.load` upgrades what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

# Saved arrays, old name -> new name. `learner.*` stands for the learner of any seat.
ARRAYS = {
    "tables.q": "q_arrays.q",
    "tables.greedy": "q_arrays.greedy",
    "tables.runner": "q_arrays.runner_up",
    "tables.debts": "q_arrays.pending",
    "tables.reward": "q_arrays.pending_reward",
    "tables.clock": "q_arrays.clock",
    "tables.measures": "q_arrays.measure_sums",
    "tables.scores": "q_arrays.score_sums",
    "book.seen": "rollout_buffer.observation",
    "book.did": "rollout_buffer.action",
    "book.following": "rollout_buffer.next_observation",
    "book.gap": "rollout_buffer.rounds_between",
    "book.cut": "rollout_buffer.truncated",
    "book.reward": "rollout_buffer.reward",
    "book.counts": "rollout_buffer.counts",
    "book.since": "rollout_buffer.last_round",
    "book.open": "rollout_buffer.open",
    "learner.*.unit": "learner.*.return_scale",
    "learner.*.mean": "learner.*.policy_sum",
    "learner.*.ring": "learner.*.replay_counters",
    "learner.*.replay.seen": "learner.*.replay.observation",
    "learner.*.replay.did": "learner.*.replay.action",
    "learner.*.replay.following": "learner.*.replay.next_observation",
    "learner.*.replay.gap": "learner.*.replay.rounds_between",
    **{
        f"learner.*.{old}.{array}": f"learner.*.{new}.{renamed}"
        for old, new in {
            "engine.actor": "actor_critic.actor",
            "engine.critic": "actor_critic.critic",
            "online": "online",
            "target": "target",
        }.items()
        for array, renamed in {
            "parameters": "parameters",
            "first": "first_moment",
            "second": "second_moment",
            "updates": "steps",
        }.items()
    },
}


def upgrade_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Saved arrays by their present names; names that did not change stay."""
    return {_upgraded(name): array for name, array in arrays.items()}


def _upgraded(name: str) -> str:
    """The present name of a saved array."""
    kind, _, rest = name.partition(".")
    if kind != "learner":
        return ARRAYS.get(name, name)
    seat, _, own = rest.partition(".")
    return ARRAYS.get(f"learner.*.{own}", f"learner.*.{own}").replace("*", seat, 1)
