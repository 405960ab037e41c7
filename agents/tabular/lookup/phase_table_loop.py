"""Template: rounds of several phases that are looked up in `PhaseArrays` instead of played.

These are the rounds that `tacit.agents.tabular.q_learning_loop.learn` plays in one copy, bit for
bit: seats decide and learn by the same functions, and every sum adds the same numbers in the same
order. No kernel of a market is called, so one compiled copy of this loop serves all markets.

`table` is what is looked up, `work` the working memory of a call. Of `rows` only observations and
the rewards in `scores` are used; the caller sets all of them after the last round.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.tabular.arrays import (
    ACTION_KEYS,
    BOUND_ROUNDS,
    COLUMNS_AT_ONCE,
    EPISODE_ROUND,
    EXPLORATION_KEYS,
    NATURE_KEYS,
    ROUNDS_SINCE_READ,
    STABLE_ROUNDS,
    STATE_BEFORE,
    STATE_NOW,
    TRAINED_ROUNDS,
    QArrays,
)
from tacit.agents.tabular.decisions import (
    add_pending_rewards,
    decide,
    draws_action,
    td_update,
)
from tacit.agents.tabular.exploration import renew_bounds
from tacit.agents.tabular.lookup.arrays import PhaseArrays, PhaseScratch
from tacit.agents.tabular.lookup.coming_draws import (
    add_outcomes,
    draw_slot,
    fold_phase,
    fold_rounds,
)
from tacit.envs.engine.game_arrays import ACTION_COUNT, FIRST_ROW, CopyRows, GameArrays
from tacit.envs.jit.array_views import add_rows, at, borrow, row
from tacit.envs.jit.decorators import inlined, loop

# --- draws of the coming rounds ------------------------------------------------------------------


@inlined
def draw_decisions(
    table: PhaseArrays, q_arrays: QArrays, work: PhaseScratch, key: Any, fixed: Any, round_: Any,
    count: Any,
) -> None:  # fmt: skip
    """Fill `work.draws` for the next `count` rounds, from `round_` on.

    Of learners if `fixed` is 0, whose stream has the key `key`, or else of fixed tables.
    """
    rounds, keys = row(work.moments, 0), row(work.moments, 1)
    fold_rounds(key, round_, count, rounds)
    for phase in range(len(table.lot_counts)):
        fold_phase(rounds, phase, count, keys)
        for d in range(table.first_decider[phase], table.first_decider[phase + 1]):
            if draws_action(q_arrays, table.deciders[d]) == fixed:
                draw_slot(keys, table.deciders[d], count, row(work.draws, d))


@inlined
def draw_lots(table: PhaseArrays, work: PhaseScratch, key: Any, round_: Any, count: Any) -> None:
    """Fill `work.lots` for the next `count` rounds, from `round_` on; `key` is nature's."""
    rounds, keys, draws = (
        row(work.moments, 0),
        row(work.moments, 1),
        row(work.draws, len(work.draws) - 1),
    )
    fold_rounds(key, round_, count, rounds)
    for phase in range(len(table.lot_counts)):
        lots = row(work.lots, phase)
        lots[:count] = 0
        if table.first_lot[phase] < table.first_lot[phase + 1]:
            fold_phase(rounds, phase, count, keys)
        for d in range(table.first_lot[phase], table.first_lot[phase + 1]):
            draw_slot(keys, table.lot_slots[d], count, draws)
            add_outcomes(draws, row(table.lot_edges, d), table.outcomes[d], count, lots)


# --- rounds --------------------------------------------------------------------------------------


@inlined
def play_block(
    table: PhaseArrays,
    game: GameArrays,
    rows: CopyRows,
    q_arrays: QArrays,
    work: PhaseScratch,
    count: Any,
    stop_after: Any,
) -> Any:
    """Look up to `count` rounds up, whose draws are in `work`; returns how many were played.

    It ends early once greedy policies have been unchanged for `stop_after` rounds (0: never), or
    when it is told to halt.
    """
    clock, phases, seats = q_arrays.clock, game.acts.shape[0], game.acts.shape[1]
    first_reward = rows.scores.shape[1] - seats
    t, stable = clock[TRAINED_ROUNDS], clock[STABLE_ROUNDS]
    node = work.nodes[STATE_NOW]
    before = node
    for n in range(count):
        changed, kind, before = 0, 0, node
        for phase in range(phases):
            joint = 0
            for d in range(table.first_decider[at(phase)], table.first_decider[at(phase + 1)]):
                s = table.deciders[at(d)]
                o = table.observations[at(node), at(s)]
                first_row = game.per_seat[at(s), FIRST_ROW]
                first, several = game.legal[at(first_row + o), 0], game.legal[at(first_row + o), 1]
                action = first
                if several > 1:
                    rows.observations[0, at(s)] = o
                    width = game.per_seat[at(s), ACTION_COUNT]
                    changed |= td_update(game, rows, q_arrays, 0, s, first_row, width, t + n)
                    draw = work.draws[at(d), at(n)]
                    action = decide(game, rows, q_arrays, 0, s, draw, t + n)
                work.actions[at(phase), at(s)] = action
                joint = joint * several + action - first
            cell = table.first_cell[at(node)] + joint * table.lot_counts[at(phase)]
            cell += work.lots[at(phase), at(n)]
            node, kind = table.next_node[at(cell)], table.kinds[at(cell)]
        work.visited[at(n)] = kind
        for s in range(seats):
            rows.scores[0, at(first_reward + s)] = table.rewards[at(kind), at(s)]
        add_pending_rewards(rows, q_arrays, 0, t + n)
        stable = 0 if changed else stable + 1
        if (stop_after > 0 and stable >= stop_after) or q_arrays.halt[0] != 0:
            count = n + 1
            break
    work.nodes[STATE_BEFORE], work.nodes[STATE_NOW] = before, node
    clock[STABLE_ROUNDS] = stable
    return count


@loop
def learn(
    table: PhaseArrays,
    game: GameArrays,
    rows: CopyRows,
    episode_keys: Any,
    q_arrays: QArrays,
    work: PhaseScratch,
    rounds: Any,
    stop_after: Any,
) -> Any:
    """Play and learn up to `rounds` rounds; returns how many were played.

    `episode_keys` uint64 `[4, N]` are those of the running episode, which must be endless.
    """
    table, game, rows, work = borrow(table), borrow(game), borrow(rows), borrow(work)
    q_arrays, episode_keys = borrow(q_arrays), borrow(episode_keys)
    clock, played, any_fixed = q_arrays.clock, 0, False
    for s in range(len(q_arrays.settings)):
        any_fixed |= draws_action(q_arrays, s)
    while played < rounds:
        # Blocks end at multiples of BOUND_ROUNDS, where the kernels' loop renews its bounds too.
        begin = clock[TRAINED_ROUNDS] - clock[TRAINED_ROUNDS] % BOUND_ROUNDS
        for s in range(len(q_arrays.settings)):
            renew_bounds(row(q_arrays.settings, s), begin)
        count = min(rounds - played, begin + BOUND_ROUNDS - clock[TRAINED_ROUNDS])
        round_ = clock[EPISODE_ROUND]
        draw_lots(table, work, episode_keys[NATURE_KEYS, 0], round_, count)
        key = episode_keys[EXPLORATION_KEYS, 0]
        draw_decisions(table, q_arrays, work, key, False, round_, count)
        if any_fixed:
            key = episode_keys[ACTION_KEYS, 0]
            draw_decisions(table, q_arrays, work, key, True, round_, count)
        count = play_block(table, game, rows, q_arrays, work, count, stop_after)
        for block in range(len(table.figures)):
            first = block * COLUMNS_AT_ONCE
            sums = work.sums[first : first + COLUMNS_AT_ONCE]
            add_rows(row(table.figures, block), work.visited, count, sums, COLUMNS_AT_ONCE)
        played += count
        clock[TRAINED_ROUNDS] += count
        clock[EPISODE_ROUND] += count
        clock[ROUNDS_SINCE_READ] += count
        if (stop_after > 0 and clock[STABLE_ROUNDS] >= stop_after) or q_arrays.halt[0] != 0:
            break
    return played
