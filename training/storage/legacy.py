"""Names that runs of earlier versions were saved under, and their present ones.

A run is kept for years, so an old name in a stored file is translated when the file is read; files
are written with present names only. Translated are figures and keys of a seed's record
(`checkpoint.json`, `partial.json`), of `controls.json` and of `summary.json`, and names of arrays
in `.safetensors` files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from numpy.typing import NDArray

T = TypeVar("T")

FIGURES = {
    "repaired/frozen_index": "rematched/frozen_index",
    "repaired/tempted": "rematched/tempted",
    "repaired/deterred": "rematched/deterred",
    "repaired/rival_response": "rematched/rival_response",
}
PROBES = {"repaired": "rematched"}  # probes and controls
# Keys of the records of versions that did not seal them yet.
UNSEALED_KEYS = frozenset({
    "arm", "seed", "rounds", "agent_steps", "seconds", "measures", "probes", "training_curve",
    "course", "events", "machine", "sha256",
})  # fmt: skip
KEYS = {"course": "training_curve"}  # of a seed's record and of an arm's summary
# Saved arrays; `learner.*` stands for the learner of any seat.
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


def rename(table: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    """The same table, keys in the same order, those in `names` under their present name."""
    return {names.get(key, key): value for key, value in table.items()}


def upgrade_figures(figures: Mapping[str, T]) -> dict[str, T]:
    """Figures by name, under present names."""
    return rename(figures, FIGURES)


def upgrade_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A seed's record, under present names."""
    present = rename(record, KEYS)
    if isinstance(probes := present.get("probes"), dict):
        present["probes"] = {
            name: upgrade_figures(own) for name, own in rename(probes, PROBES).items()
        }
    return present


def upgrade_controls(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What `controls.json` holds, under present names."""
    present = dict(stored)
    if isinstance(figures := present.get("figures"), dict):
        present["figures"] = {
            name: [upgrade_figures(own) for own in seeds]
            for name, seeds in rename(figures, PROBES).items()
        }
    return present


def upgrade_summary(arm: Mapping[str, Any]) -> dict[str, Any]:
    """One arm of `summary.json`, under present names."""
    present = rename(arm, KEYS)
    if isinstance(measures := present.get("measures"), dict):
        present["measures"] = upgrade_figures(measures)
    return present


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
