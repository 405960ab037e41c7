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
        table: each provider's share of its region's buyers, then their gain, float64
            `[R, K, J, N + 1]`, R regions of N providers each; joint prices of a region in the order
            in which its last provider's changes fastest.
    """
    n = int(params[at.FIRMS])
    m = int(params[at.N_PRICES])
    seats = int(params[at.N_PROVIDERS])
    state = np.zeros(at.POSTED + seats)
    measures = np.zeros((seats + 1, QUANTITY + 1))
    for region in range(table.shape[0]):
        first = region * n
        for k in range(len(shocks)):
            for joint in range(table.shape[2]):
                rest = joint
                for i in range(n - 1, -1, -1):
                    state[at.POSTED + first + i] = rest % m
                    rest //= m
                table[region, k, joint, n] = demand(params, state, shocks[k], region, measures)
                for i in range(n):
                    table[region, k, joint, i] = measures[first + i, QUANTITY]
