"""Template: from a seat's samples to generalised advantages and returns.

    delta(n) = reward(n) + d(n) V(next observation) - V(observation),  d = discount^(rounds between)
    A(n)     = delta(n) + d(n) lambda A(n + 1),                        A(n + 1) = 0 behind a cut

once per own decision, and once per value head: head h predicts the unweighted KPI term h.

Source: Schulman, Moritz, Levine, Jordan, Abbeel, ICLR 2016.

Letters in shapes: D samples at most, N copies, n samples in all, O observations of the seat, R rows
(observations that the samples met), H value heads.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from tacit.agents.batch.arrays import SeatSamples
from tacit.envs.jit.array_views import at, borrow, row
from tacit.envs.jit.decorators import inlined, kernel, loop


@inlined
def follows(observation: Any, following: Any, n: Any, most: Any) -> Any:
    """Whether in every copy what follows sample n, of `most`, is what sample n + 1 observed.

    Both arrays are int32 `[D, N]`. So it is where an agent decides in every round; what was looked
    up for the later sample then need not be looked up again.
    """
    if n + 1 == most:
        return False
    after, later, others = row(following, n), row(observation, n + 1), 0
    for c in range(len(after)):
        others |= after[c] ^ later[c]
    return others == 0


@inlined
def mark_all(observation: Any, following: Any, most: Any, marks: Any) -> None:
    """Set `marks` `[O]` to 0 where a sample, one of the first `most` of a copy, met it."""
    for n in range(most):
        own = row(observation, n)
        for c in range(len(own)):
            marks[at(own[c])] = 0
        if not follows(observation, following, n, most):
            after = row(following, n)
            for c in range(len(after)):
                marks[at(after[c])] = 0


@loop
def number_observations(samples: SeatSamples, row_numbers: Any) -> Any:
    """Number the observations that the samples met, before or after an action, in ascending order.

    Fills `row_numbers` int32 `[O]` (-1: not met). Returns the observations, int64 `[R]`.
    """
    observation, following = borrow(samples.observation), borrow(samples.next_observation)
    counts = samples.counts
    for o in range(len(row_numbers)):
        row_numbers[o] = -1
    most = counts.max()
    if counts.min() == most:
        mark_all(observation, following, most, borrow(row_numbers))
    else:
        for n in range(most):
            for c in range(len(counts)):
                if n < counts[c]:
                    row_numbers[observation[n, c]] = 0
                    row_numbers[following[n, c]] = 0
    rows = 0
    for o in range(len(row_numbers)):
        if row_numbers[o] == 0:
            row_numbers[o] = rows
            rows += 1
    observations = np.empty(rows, np.int64)
    for o in range(len(row_numbers)):
        if row_numbers[o] >= 0:
            observations[row_numbers[o]] = o
    return observations


@kernel
def advantage(reward: Any, after: Any, value: Any, factor: Any, carry: Any, later: Any) -> Any:
    """A(n), where `factor` is d(n), `carry` d(n) lambda (0.0 at a cut), and `later` A(n + 1)."""
    return (reward + factor * after - value) + carry * later


@kernel
def discount_over(rounds: Any, discount: Any) -> Any:
    """d(n), of so many rounds to the next sample."""
    # (a power costs more than the rest, and mostly one round lies between)
    return discount if rounds == 1 else discount**rounds


@inlined
def one_head_of_a_row(
    samples: SeatSamples,
    n: Any,
    most: Any,
    begin: Any,
    row_numbers: Any,
    values: Any,
    weight: Any,
    discount: Any,
    gae_lambda: Any,
    rows: Any,
    actions: Any,
    advantages: Any,
    returns: Any,
    trace: Any,
    work: Any,
    sums: Any,
) -> None:
    """`one_head` of sample n of every copy, all of which have `most`; results from `begin` on.

    Short loops over all copies: LLVM makes vectors of most of them. `work` is float64 `[2, N]`: its
    rows hold the values of this sample and of the next one by turns. The results of the sample
    before in order, n + 1, are added to `sums` `[2]`, squares and advantages: a sum waits for
    itself, and looking values up takes place meanwhile.
    """
    observation, taken = row(samples.observation, n), row(samples.action, n)
    following, between = row(samples.next_observation, n), row(samples.rounds_between, n)
    truncated, reward = row(samples.truncated, n), row(samples.reward, n)
    value, after, copies = row(work, n % 2), row(work, 1 - n % 2), len(trace)
    if not follows(samples.observation, samples.next_observation, n, most):
        for c in range(copies):
            after[c] = values[at(row_numbers[at(following[c])])]
    squares, total = sums[0], sums[1]
    last = max(0, begin - copies)  # (before the first results there are zeros)
    for c in range(copies):
        o = row_numbers[at(observation[c])]
        rows[at(begin + c)], actions[at(begin + c)] = o, taken[c]
        value[c] = values[at(o)]
        squares += returns[at(last + c)] ** 2
        total += advantages[at(last + c)]
    sums[0], sums[1] = squares, total
    others = 0
    for c in range(copies):
        others |= between[c] ^ 1
    if others == 0:
        carried = discount * gae_lambda
        for c in range(copies):
            carry = 0.0 if truncated[c] else carried
            trace[c] = advantage(reward[c, 0], after[c], value[c], discount, carry, trace[c])
    else:
        for c in range(copies):
            factor = discount_over(between[c], discount)
            carry = 0.0 if truncated[c] else factor * gae_lambda
            trace[c] = advantage(reward[c, 0], after[c], value[c], factor, carry, trace[c])
    for c in range(copies):
        # (0.0 + x, as the loop over heads has it, makes 0.0 of -0.0)
        advantages[at(begin + c)] = 0.0 + weight * trace[c]
        returns[at(begin + c)] = trace[c] + value[c]


@inlined
def one_head(
    samples: SeatSamples,
    row_numbers: Any,
    values: Any,
    weight: Any,
    discount: Any,
    gae_lambda: Any,
    rows: Any,
    actions: Any,
    advantages: Any,
    returns: Any,
    trace: Any,
) -> Any:
    """`generalised_advantages` of one head, where all copies have as many samples; the same bits.

    `values` `[R]`, `returns` `[n]` and `trace` `[N]` are flat. Returns the sum of squares and the
    sum of advantages.
    """
    row_numbers, most = borrow(row_numbers), samples.counts[0]
    rows, actions, advantages = borrow(rows), borrow(actions), borrow(advantages)
    copies, i = len(trace), 0
    work, sums = np.empty((2, copies)), np.zeros(2)
    advantages[:copies], returns[:copies] = 0.0, 0.0
    for n in range(most - 1, -1, -1):
        one_head_of_a_row(
            samples, n, most, i, row_numbers, values, weight, discount, gae_lambda, rows, actions,
            advantages, returns, trace, work, sums,
        )  # fmt: skip
        i += copies
    squares, total = sums[0], sums[1]
    for k in range(max(0, i - copies), i):
        squares += returns[at(k)] ** 2
        total += advantages[at(k)]
    return squares, total


@loop
def generalised_advantages(
    samples: SeatSamples,
    row_numbers: Any,
    values: Any,
    weights: Any,
    discount: Any,
    gae_lambda: Any,
    rows: Any,
    actions: Any,
    advantages: Any,
    returns: Any,
) -> Any:
    """Generalised advantages and returns of all n samples, the latest first.

    Takes `values` float64 `[R, H]` of unweighted terms, in their own units, and `weights` `[H]`.
    Fills `rows` and `actions` int32 `[n]`, `advantages` float64 `[n]` (heads weighted), and
    `returns` float64 `[n, H]`. Returns the sums of squares of the returns, float64 `[H]`, and the
    sum of the advantages.
    """
    counts, heads, whole = samples.counts, len(weights), 0.0
    trace, squares = np.zeros((len(counts), heads)), np.zeros(heads)
    even = counts.min() == counts.max()
    if even and heads == 1 and samples.reward.shape[2] == 1:
        squares[0], whole = one_head(
            samples, row_numbers, borrow(values.reshape(-1)), weights[0], discount, gae_lambda,
            rows, actions, advantages, borrow(returns.reshape(-1)), trace.reshape(-1),
        )  # fmt: skip
        return squares, whole
    observation, taken = borrow(samples.observation), borrow(samples.action)
    following, between = borrow(samples.next_observation), borrow(samples.rounds_between)
    truncated, reward = borrow(samples.truncated), borrow(samples.reward)
    i = 0
    for n in range(counts.max() - 1, -1, -1):
        for c in range(len(counts)):
            if n < counts[c]:
                o, next_o = row_numbers[observation[n, c]], row_numbers[following[n, c]]
                factor = discount_over(between[n, c], discount)
                carry = 0.0 if truncated[n, c] else factor * gae_lambda
                total = 0.0
                for h in range(heads):
                    value, after = values[o, h], values[next_o, h]
                    trace[c, h] = advantage(
                        reward[n, c, h], after, value, factor, carry, trace[c, h]
                    )
                    total += weights[h] * trace[c, h]
                    returns[i, h] = trace[c, h] + value
                    squares[h] += returns[i, h] ** 2
                rows[i], actions[i], advantages[i] = o, taken[n, c], total
                whole += total
                i += 1
    return squares, whole


@loop
def normalise(advantages: Any, total: Any) -> Any:
    """Shift and scale `advantages` float64 `[n]` to mean 0 and standard deviation 1, in place.

    `total` is their sum. Returns the factor by which they were scaled.
    """
    squares = 0.0
    mean = total / max(1, len(advantages))
    for i in range(len(advantages)):
        squares += (advantages[i] - mean) ** 2
    scale = 1.0 / (sqrt(squares / max(1, len(advantages))) + 1e-8)
    for i in range(len(advantages)):
        advantages[i] = (advantages[i] - mean) * scale
    return scale


@loop
def move_scale(scale: Any, squares: Any, count: Any, share: Any) -> None:
    """Move the unit of each value head towards the root mean square of an update's returns.

    `scale` float64 `[H]` is changed in place; `squares` float64 `[H]` are the sums of squares of
    `count` returns, whose weight is `share`. A unit is never 0, because returns are divided by it.
    """
    for h in range(len(scale)):
        size = sqrt(squares[h] / count) + 1e-8
        scale[h] = sqrt((1.0 - share) * (scale[h] * scale[h]) + share * (size * size))
