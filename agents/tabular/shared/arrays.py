"""What seats of one vendor share, as arrays that the compiled loop reads.

It imports nothing of tacit but names of array types, like `tacit.agents.tabular.arrays`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.envs.types import Ints


class SharingArrays(NamedTuple):
    """Who learns from whom, and who draws what; S seats, O the most observations of a seat.

    Attributes:
        teaches: 1 at `[s, j]` where seat s's experience updates seat j's table, int64 `[S, S]`;
            every seat teaches itself.
        seen_by: at `[s, j, o]` the index of what seat j would see in the place of seat s, which
            sees o; int32 `[S, S, O]`, read where s teaches j.
        slots: the slot from which a seat draws its exploration, int64 `[S]`.
    """

    teaches: Ints
    seen_by: NDArray[np.int32]
    slots: Ints
