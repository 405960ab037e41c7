"""What a network sees of an observation: one-hot digits, as positions of the ones."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from tacit.envs.market import Block, Part, Role

Digits = NDArray[np.int32]


class Encoding:
    """The one-hot row of every observation of a role.

    `digits`: a one for the value of every part (of those with more than one value);
    `observation`: a single one, for the observation as a whole, which makes a network without
    hidden layers a softmax table. An unseen part has no one: `width` is then its position, a
    column of zeros.

    `width` is the length of the row (without that column), `ones` how many positions it has.
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

    def digits(self, observations: NDArray[np.int64]) -> Digits:
        """Positions of the ones, int32 `[R, ones]`, of observations int64 `[R]`."""
        if not self.parts:
            return observations.astype(np.int32)[:, None]
        result = np.full((len(observations), self.ones), self.width, np.int32)
        starts = np.cumsum([0, *(len(p.values) for p in self.parts)])
        position = dict(zip(self.parts, starts.tolist(), strict=False))
        for index, block in enumerate(self.role.blocks):
            first = self.role.block_start(index)
            inside = (observations >= first) & (observations < first + block.size)
            for part, values in self._values(block, observations[inside] - first):
                if part in position:
                    result[inside, self.parts.index(part)] = position[part] + values
        return result

    def _values(
        self, block: Block, rest: NDArray[np.int64]
    ) -> list[tuple[Part, NDArray[np.int64]]]:
        """Every part that a block shows, and its digit at observations counted from its start."""
        known = [(self.role.observation_parts[0], block.phase), *block.given]
        shown = [(part, np.full(len(rest), part.index(value))) for part, value in known]
        for k, part in enumerate(block.sees):
            step = prod(len(p.values) for p in block.sees[k + 1 :])
            shown.append((part, rest // step % len(part.values)))
        return shown
