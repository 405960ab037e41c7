"""Types that the whole product shares: arrays by what they hold, and numbers of configurations."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

# Arrays. The shape is said where one is used: `prices: Floats  # float64 [N, m]`.
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.int8]  # 1 where an action is legal: int8, as PettingZoo and Gymnasium want it

# Keys of configurations. None of them admits NaN or an infinity.
Count = Annotated[int, Field(ge=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
