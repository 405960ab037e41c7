"""Template: every joint play of many tenders, both private types (see `support.tenders`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.envs.jit.decorators import loop
from tacit.envs.rules import observe, play, reset


@loop
def play_all(params: Any, column: Any, joint: Any, columns: Any, state: Any, result: Any) -> None:
    """Fill `result` as `support.tenders.played` returns it; `state` is that of one copy."""
    measures = np.zeros((3, 18))
    for m in range(len(params)):
        for kind in range(2):
            for j in range(len(joint)):
                state[:] = 0.0
                state[column] = kind
                measures[:] = 0.0
                for phase in range(joint.shape[1]):
                    play(params[m], state, phase, joint[j, phase], measures, np.uint64(1))
                for k in range(len(columns)):
                    result[m, kind, j, k] = measures[columns[k, 0], columns[k, 1]]
