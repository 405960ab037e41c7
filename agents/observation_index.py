"""The row of a policy table that an observation belongs to, in whatever form a view hands it out.

| form | one observation | told by |
|---|---|---|
| index | a whole number 0 .. O-1, as `Engine.observations` holds them | no dimension |
| digits | `MultiDiscrete`: a digit for each of `Role.observation_parts` | integers, one a part |
| one-hot | the one-hot vectors of the digits, end to end | as many numbers as parts have values |
| box | every digit as digit / (n - 1), 0 where n = 1 | floats, one a part |

A dict `{"observation": ..., "action_mask": ...}` stands for its observation. A further dimension in
front is a batch `[N, .]`. An array of whole numbers that could be digits or a batch of indices is
read as digits where its length is that of the parts, and refused otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs.engine.action_index import as_integer
from tacit.envs.errors import ConfigError
from tacit.envs.market import Role
from tacit.envs.types import Ints

NEAR = 1e-4  # how far a number of a box may lie from a digit's: float32, and a little arithmetic


class ObservationIndex:
    """Reads the observations of one role.

    Attributes:
        role: whose they are.
        sizes: how many values each part of an observation has, int64 `[parts]`.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.sizes: Ints = np.array([len(p.values) for p in role.observation_parts], np.int64)

    def __call__(self, observation: Any) -> tuple[Ints, bool]:
        """The rows of one observation or of a batch.

        Args:
            observation: in any form of the table above.

        Returns:
            Indices int64 `[N]`, and whether a single observation was given (N = 1).

        Raises:
            ConfigError: no form, or one that two readings fit; or numbers that no observation has.
        """
        if isinstance(observation, Mapping):
            if "observation" not in observation:
                raise self._refusal(f"a dict with the keys {sorted(map(str, observation))}")
            observation = observation["observation"]
        number = None if isinstance(observation, bool) else as_integer(observation)
        if number is not None:
            return self._checked(np.array([number])), True
        given = self._array(observation)
        single = given.ndim == 1
        rows = given[None] if single else given
        if rows.ndim != 2 or not rows.size:
            raise self._refusal(f"an array of shape {given.shape}")
        return self._from_digits(self._digits(rows, given)), single

    def _array(self, observation: Any) -> NDArray[Any]:
        """What was given as an array of numbers; tensors of torch are arrays as well."""
        try:
            given = np.asarray(observation)
        except (ValueError, TypeError):
            raise self._refusal(f"a {type(observation).__name__}") from None
        if given.dtype.kind not in "iufb":
            raise self._refusal(repr(observation))
        if given.ndim == 0:
            raise self._refusal(f"{observation!r}, which is no whole number")
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise self._refusal("numbers that are not finite")
        return given

    def _checked(self, indices: Ints) -> Ints:
        """Indices int64 `[N]` that are rows of the table."""
        count = self.role.observations
        if bad := [int(i) for i in indices if not 0 <= i < count]:
            raise ConfigError(
                f"observation: index {bad[0]} of a {self.role.name} is not in 0 .. {count - 1}."
            )
        checked: Ints = indices.astype(np.int64)
        return checked

    def _digits(self, rows: NDArray[Any], given: NDArray[Any]) -> Ints:
        """Rows `[N, .]` in any form as digits int64 `[N, parts]`."""
        parts, ones = len(self.sizes), int(self.sizes.sum())
        is_float = rows.dtype.kind == "f"
        if ones == parts == rows.shape[1]:  # every part has one value: there is one observation
            return np.zeros(rows.shape, np.int64)
        if rows.shape[1] == ones and ones != parts:
            return self._from_one_hot(rows)
        if rows.shape[1] == parts:
            return self._from_box(rows) if is_float else rows.astype(np.int64)
        if given.ndim == 1 and not is_float:
            raise ConfigError(
                f"observation: {len(given)} whole numbers are neither the {parts} digits nor the "
                f"{ones} one-hot numbers of a {self.role.name}; a batch of indices is ambiguous: "
                "give them one by one, or as digits [N, parts]."
            )
        raise self._refusal(f"{given.dtype} of shape {given.shape}")

    def _from_one_hot(self, rows: NDArray[Any]) -> Ints:
        """One-hot vectors end to end `[N, sum of sizes]` as digits int64 `[N, parts]`."""
        if not np.isin(rows, (0, 1)).all():
            raise self._refusal("a one-hot vector with other numbers than 0 and 1")
        pieces = np.split(rows, np.cumsum(self.sizes)[:-1], axis=1)
        for part, piece in zip(self.role.observation_parts, pieces, strict=True):
            if (piece.sum(axis=1) != 1).any():
                raise self._refusal(f"a one-hot vector whose part {part.name} is not one 1")
        digits: Ints = np.stack([piece.argmax(axis=1) for piece in pieces], axis=1)
        return digits

    def _from_box(self, rows: NDArray[Any]) -> Ints:
        """Numbers in [0, 1] `[N, parts]` as digits int64 `[N, parts]`."""
        tops = np.maximum(self.sizes - 1, 1)
        digits = np.rint(rows * tops)
        off = (np.abs(rows - digits / tops) > NEAR) | (digits < 0) | (digits >= self.sizes)
        if off.any():
            r, k = np.argwhere(off)[0]
            part = self.role.observation_parts[k]
            raise ConfigError(
                f"observation: {part.name} is {rows[r, k]:g}, which is no digit / "
                f"{max(1, len(part.values) - 1)}: floats are read as the box form, in [0, 1] (give "
                "digits as integers, and what a wrapper has scaled as it was before)."
            )
        whole: Ints = digits.astype(np.int64)
        return whole

    def _from_digits(self, digits: Ints) -> Ints:
        """Digits int64 `[N, parts]` as indices int64 `[N]`: `Role.observation_digits` inverted."""
        parts = self.role.observation_parts
        if (outside := (digits < 0) | (digits >= self.sizes)).any():
            r, k = np.argwhere(outside)[0]
            raise ConfigError(
                f"observation: digit {digits[r, k]} of {parts[k].name} is not in 0 .. "
                f"{self.sizes[k] - 1}."
            )
        found = np.full(len(digits), -1, np.int64)
        for k, block in enumerate(self.role.blocks):
            fixed = {0: parts[0].values.index(block.phase)}
            fixed |= {parts.index(part): part.index(value) for part, value in block.given}
            seen = [parts.index(part) for part in block.sees]
            other = [c for c in range(len(parts)) if c not in seen]
            fits = (digits[:, other] == [fixed.get(c, 0) for c in other]).all(axis=1)
            index = np.zeros(len(digits), np.int64)
            for column in seen:
                index = index * self.sizes[column] + digits[:, column]
            found[fits] = self.role.block_start(k) + index[fits]
        if (found < 0).any():
            shown = digits[int(np.argmax(found < 0))].tolist()
            raise ConfigError(f"observation: no {self.role.name} ever sees the digits {shown}.")
        return found

    def _refusal(self, what: str) -> ConfigError:
        """What an observation must be, and what was given."""
        return ConfigError(
            f"observation: must be an index 0 .. {self.role.observations - 1}, or {len(self.sizes)}"
            f" digits (integers), {int(self.sizes.sum())} one-hot numbers or {len(self.sizes)} "
            f"floats in [0, 1], or a batch of these, got {what}."
        )
