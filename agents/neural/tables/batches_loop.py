"""Template: many batches of learners without hidden layers, each played and then learned from.

An update of such a learner takes some 25 microseconds, and Python between compiled calls longer.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.batch.arrays import RolloutBuffer, SeatSamples
from tacit.agents.batch.rollout_loop import rollout
from tacit.agents.neural.tables.arrays import TableLearner
from tacit.agents.neural.tables.table_update import average, play_table, update
from tacit.agents.tabular.arrays import QArrays
from tacit.envs.engine.game_arrays import CopyRows, GameArrays
from tacit.envs.jit.decorators import called_kernel, inlined, loop
from tacit.envs.rules import observe, play, reset


@inlined
def samples_of(buffer: RolloutBuffer, k: Any) -> SeatSamples:
    """Samples of the k-th learning seat: views of the buffer."""
    return SeatSamples(
        buffer.observation[k], buffer.action[k], buffer.next_observation[k],
        buffer.rounds_between[k], buffer.truncated[k], buffer.reward[k], buffer.counts[k],
    )  # fmt: skip


@called_kernel
def learn(learner: TableLearner, buffer: RolloutBuffer, k: Any, n: Any, cumulative: Any) -> bool:
    """The call's update n of the k-th learning seat; whether what it learned is finite.

    `cumulative`: sums of probabilities of all fixed policies, float64 `[.]`, as of `QArrays`.
    """
    samples = samples_of(buffer, k)
    count = samples.counts.sum()
    if count > 0:
        if not update(learner, samples, count, n):
            return False
        average(learner, n)
    play_table(learner, cumulative)
    return True


@loop
def play_and_learn(
    game: GameArrays,
    rows: CopyRows,
    keys: Any,
    episode_keys: Any,
    q_arrays: QArrays,
    scratch: CopyRows,
    buffer: RolloutBuffer,
    batch_rounds: Any,
    episode_rounds: Any,
    looks_ahead: Any,
    learners: Any,
    batches: Any,
) -> Any:
    """Play so many batches, and let all learners update after each.

    Args:
        game: what is played; this and the next are arguments of `rollout_loop.rollout`.
        rows: the copies.
        keys: uint64 `[streams, N]`.
        episode_keys: uint64 `[streams, N]`.
        q_arrays: the tables that play, and the clock.
        scratch: a copy to look ahead in.
        buffer: an empty buffer of a batch.
        batch_rounds: of a batch.
        episode_rounds: may be 0 (endless).
        looks_ahead: whether samples that are cut need their next decision.
        learners: a tuple of `TableLearner`, in the order of the buffer.
        batches: how many.

    Returns:
        Rounds played, fewer if it is told to halt, and which learner is no longer finite (-1: all
        are).
    """
    done = 0
    for n in range(batches):
        played = rollout(
            game, rows, keys, episode_keys, q_arrays, scratch, buffer, batch_rounds,
            episode_rounds, True, looks_ahead, None, None,
        )  # fmt: skip
        done += played
        if played < batch_rounds:
            break
        for k in range(len(learners)):
            if not learn(learners[k], buffer, k, n, q_arrays.cumulative):
                return done, k
        buffer.counts[:] = 0
        if q_arrays.halt[0] != 0:
            break
    return done, -1
