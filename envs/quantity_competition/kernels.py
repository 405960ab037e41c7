"""The rules of quantity competition, as compiled functions of one copy.

`params` float64 `[.]` and `state` float64 `[1]` are laid out by `positions.py`. The price is d
minus the sum of outputs, d being the demand of the round. Letters: N firms, m outputs of each, M
measures.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel
from tacit.envs.rng import below

from . import positions as at
from .measures import CONSUMER_SURPLUS, PRICE, PROFIT, QUANTITY, WELFARE


@kernel
def high_demand(params: Any, key: Any) -> Any:
    """1 if d lies above its mean in this round, else 0; drawn only where there are shocks."""
    return below(key, at.DEMAND_DRAW, 2) if params[at.SHOCK] > 0.0 else 0


@kernel
def price_number(params: Any, steps: Any, high: Any) -> Any:
    """The index of the price among all possible ones, ascending.

    A price follows from `high` and from the sum of all firms' steps on the grid, 0 .. N (m - 1).
    """
    totals = int(params[at.FIRMS] * (params[at.OUTPUTS] - 1.0)) + 1
    return params[int(params[at.PRICE_INDEX]) + int(high) * totals + int(steps)]


@kernel
def show(params: Any, state: Any, joint: Any, steps: Any, high: Any) -> None:
    """Write what firms see of a round into `state` `[1]`.

    `joint` is the index of the joint output, the last firm's fastest; `steps` the sum of all steps.
    """
    state[at.SEEN] = 0.0
    if params[at.SEES] == at.LAST_OUTPUTS:
        state[at.SEEN] = joint
    elif params[at.SEES] == at.LAST_PRICE:
        state[at.SEEN] = price_number(params, steps, high)


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Begin an episode: show in `state` `[1]` what outputs drawn at random would have shown."""
    joint = steps = 0
    for i in range(int(params[at.FIRMS])):
        step = int(below(key, at.FIRST_OUTPUTS + i, int(params[at.OUTPUTS])))
        joint = joint * int(params[at.OUTPUTS]) + step
        steps += step
    show(params, state, joint, steps, high_demand(params, key))


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """The index of what every firm sees, from `state` `[1]`."""
    return int(state[at.SEEN])


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """Everything is sold at d - Q.

    `state` float64 `[1]`, `actions` int64 `[N]`, `measures` float64 `[N + 1, M]`.
    """
    firms = int(params[at.FIRMS])
    joint = steps = 0
    total = 0.0
    for i in range(firms):
        joint = joint * int(params[at.OUTPUTS]) + int(actions[i])
        steps += int(actions[i])
        total += params[at.GRID + int(actions[i])]
    high = high_demand(params, key)
    price = params[at.DEMAND] + (2.0 * high - 1.0) * params[at.SHOCK] - total
    # Demand is linear: buyers' values fall from d to the price, so they gain Q/2 a unit on average.
    surplus = 0.5 * total * total
    measures[firms, CONSUMER_SURPLUS] = measures[firms, WELFARE] = surplus
    for i in range(firms):
        output = params[at.GRID + int(actions[i])]
        measures[i, QUANTITY] = output
        measures[i, PROFIT] = (price - params[at.COST]) * output
        measures[firms, WELFARE] += measures[i, PROFIT]
    measures[firms, QUANTITY] = total
    measures[firms, PRICE] = price
    show(params, state, joint, steps, high)
