"""The plan of a sweep: which cells it has, each a function of its number.

Cells are not listed anywhere: a cell's settings are computed from its number, so that a plan of a
million cells takes the memory of its axes. First come the cells of the grid, the last axis varying
fastest, each with `random` draws of the ranges (the same draws in every cell of the grid, so that
cells differ in one thing at a time); then the cells that refinement added, in its order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from tacit.envs import rng
from tacit.envs.errors import ConfigError

from .axes import Axis, Range

MOST_CELLS = 1_000_000
VERSION = 1  # of sweep.json

Settings = tuple[tuple[str, Any], ...]  # dotted keys and values of a cell


@dataclass(frozen=True)
class SweepPlan:
    """A sweep's cells.

    Attributes:
        experiment: the experiment's name.
        source: SHA-256 of the experiment file's data.
        arms: only these arms of it; all where empty.
        fixed: `key=value` words of all cells.
        axes: of the grid.
        ranges: that are drawn from.
        random: draws of the ranges for each cell of the grid.
        seed: of these draws.
        added: settings of the cells that refinement added.
    """

    experiment: str
    source: str
    arms: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()
    ranges: tuple[Range, ...] = ()
    random: int = 0
    seed: int = 0
    added: tuple[Settings, ...] = ()

    @property
    def grid(self) -> int:
        """Cells of the grid, draws included."""
        return prod(len(axis.values) for axis in self.axes) * max(1, self.random)

    @property
    def count(self) -> int:
        """All cells."""
        return self.grid + len(self.added)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are varied."""
        return (*(axis.key for axis in self.axes), *(each.key for each in self.ranges))

    def settings(self, k: int) -> Settings:
        """Keys and values of cell k, 0 .. count-1, in the order of `keys`.

        Raises:
            IndexError: there is no such cell.
        """
        if not 0 <= k < self.count:
            raise IndexError(k)
        if k >= self.grid:
            return self.added[k - self.grid]
        rest, draw = divmod(k, max(1, self.random))
        values: list[tuple[str, Any]] = []
        for axis in reversed(self.axes):
            rest, position = divmod(rest, len(axis.values))
            values.insert(0, (axis.key, axis.values[position]))
        return (*values, *((r.key, r.at(self._share(n, draw))) for n, r in enumerate(self.ranges)))

    def _share(self, n: int, draw: int) -> float:
        """The draw of range number n, in [0, 1)."""
        key = rng.child_key(rng.seed_key(self.seed, rng.SWEEP), n)
        return float(int(rng.child_key(key, draw)) >> 11) * 2.0**-53

    def words(self, k: int) -> list[str]:
        """Settings of cell k, behind those of all cells, as words of `tacit train`."""
        # Every JSON value is that value in YAML as well.
        return [*self.fixed, *(f"{key}={json.dumps(value)}" for key, value in self.settings(k))]

    def cell_name(self, k: int) -> str:
        """The folder of cell k: its number, and a hash of all that its result depends on."""
        about = [self.source, self.arms, self.fixed, self.settings(k)]
        digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        return f"{k:06d}-{digest[:12]}"

    def with_added(self, cells: list[Settings]) -> SweepPlan:
        """The plan with further cells at its end."""
        return replace(self, added=(*self.added, *cells))

    def plain(self) -> dict[str, Any]:
        """As sweep.json holds it."""
        return {
            "version": VERSION,
            "experiment": self.experiment,
            "source": self.source,
            "arms": list(self.arms),
            "fixed": list(self.fixed),
            "grid": {axis.key: list(axis.values) for axis in self.axes},
            "ranges": {r.key: [r.low, r.high, r.kind] for r in self.ranges},
            "random": self.random,
            "seed": self.seed,
            "added": [dict(settings) for settings in self.added],
        }


def plan_from(data: Mapping[str, Any], where: str) -> SweepPlan:
    """The plan that `SweepPlan.plain` describes.

    Raises:
        ConfigError: the data describe none.
    """
    if data.get("version") != VERSION:
        raise ConfigError(
            f"{where}: holds a plan of version {data.get('version')!r}; this tacit reads {VERSION}."
        )
    try:
        return SweepPlan(
            str(data["experiment"]),
            str(data["source"]),
            tuple(str(arm) for arm in data["arms"]),
            tuple(str(word) for word in data["fixed"]),
            tuple(Axis(str(key), tuple(values)) for key, values in data["grid"].items()),
            tuple(
                Range(str(key), float(low), float(high), str(kind))
                for key, (low, high, kind) in data["ranges"].items()
            ),
            int(data["random"]),
            int(data["seed"]),
            tuple(tuple(settings.items()) for settings in data["added"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{where}: does not describe a sweep ({error!r}).") from None


def check_size(plan: SweepPlan) -> None:
    """Check that a plan has cells, and not more than can be kept.

    Raises:
        ConfigError: it has none, or too many, or draws without a range.
    """
    if bool(plan.ranges) != (plan.random > 0):
        missing = "--random N" if plan.ranges else "--range KEY=LOW:HIGH"
        raise ConfigError(f"--range and --random belong together; {missing} is missing.")
    if not plan.keys:
        raise ConfigError(
            "--grid: what is varied? For example --grid kpi.bidder.price_change=0,-0.5,-1."
        )
    if plan.count > MOST_CELLS:
        sizes = " x ".join(str(len(axis.values)) for axis in plan.axes)
        sizes += f" x {plan.random} draws" if plan.random else ""
        raise ConfigError(
            f"--grid: {sizes} makes {plan.count:,} cells; at most {MOST_CELLS:,} are taken. Fewer "
            "values, or --random N with --range instead of a grid."
        )
