"""What a network sees of an observation: one-hot digits, as positions of the ones."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import Block, Part, Role
from tacit.envs.types import Ints

Digits = NDArray[np.int32]  # positions of ones in one-hot rows, [R, ones]


class Encoding:
    """The one-hot row of every observation of a role.

    `digits`: a one for the value of every part of the observation that has more than one value.
    `observation`: a single one, for the observation as a whole, which makes a network without
    hidden layers a softmax table. A part that is not seen has no one: its position is then `width`,
    an additional column of zeros.

    Attributes:
        role: whose observations they are.
        kind: `digits` or `observation`.
        width: length of a one-hot row, without the additional column.
        ones: how many positions a row has.
        parts: the parts that have ones; empty for `observation`.
    """

    def __init__(self, role: Role, kind: str) -> None:
        self.role, self.kind = role, kind
        parts = [p for p in role.observation_parts if len(p.values) > 1]
        if kind == "observation" or not parts:
            self.width, self.ones = role.observations, 1
            self.parts: list[Part] = []
        else:
            self.width, self.ones = sum(len(p.values) for p in parts), len(parts)
            self.parts = parts

    def digits(self, observations: Ints) -> Digits:
        """Positions of the ones, int32 `[R, ones]`, of observations int64 `[R]`."""
        if not self.parts:
            return observations.astype(np.int32)[:, None]
        digits = np.full((len(observations), self.ones), self.width, np.int32)
        first_columns = np.cumsum([0, *(len(p.values) for p in self.parts)])
        first_column = dict(zip(self.parts, first_columns.tolist(), strict=False))
        for index, block in enumerate(self.role.blocks):
            first = self.role.block_start(index)
            inside = (observations >= first) & (observations < first + block.size)
            for part, values in self._values(block, observations[inside] - first):
                if part in first_column:
                    digits[inside, self.parts.index(part)] = first_column[part] + values
        return digits

    def _values(self, block: Block, offsets: Ints) -> list[tuple[Part, Ints]]:
        """Every part that a block shows, and its value at these offsets from the block's start.

        The parts that a block sees are the digits of a number, the last part varying fastest.
        """
        known = [(self.role.observation_parts[0], block.phase), *block.given]
        shown = [(part, np.full(len(offsets), part.index(value))) for part, value in known]
        for k, part in enumerate(block.sees):
            stride = prod(len(p.values) for p in block.sees[k + 1 :])
            shown.append((part, offsets // stride % len(part.values)))
        return shown
