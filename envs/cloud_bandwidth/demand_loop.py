"""Template: the demand of every shock and joint price, compiled and kept on disk.

`demand` called from Python would be compiled anew in every process that makes a market, which
takes longer than everything else that a command does before its first round.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.cloud_bandwidth import positions as at
from tacit.envs.cloud_bandwidth.demand import demand
from tacit.envs.cloud_bandwidth.measures import QUANTITY
from tacit.envs.jit.decorators import loop


@loop
def fill_demand_table(params: Any, shocks: Any, table: Any) -> None:
    """Fill `table` with what `tabled_demand` looks up.

    Args:
        params: the constants before the table, float64 `[.]`.
        shocks: the shocks 0, 1 or 2 to fill, int64 `[K]`.
        table: each provider's share of the buyers, then their gain, float64 `[K, J, N + 1]`;
            joint prices in the order in which the last provider's changes fastest.
    """
    n = int(params[at.N_PROVIDERS])
    m = int(params[at.N_PRICES])
    state = np.zeros(at.POSTED + n)
    measures = np.zeros((n + 1, QUANTITY + 1))
    for k in range(len(shocks)):
        for joint in range(table.shape[1]):
            rest = joint
            for i in range(n - 1, -1, -1):
                state[at.POSTED + i] = rest % m
                rest //= m
            table[k, joint, n] = demand(params, state, shocks[k], measures)
            for i in range(n):
                table[k, joint, i] = measures[i, QUANTITY]
