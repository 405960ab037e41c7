"""How every repetition stands, read again whenever it was saved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.board.read_scalars import last_scalars
from tacit.training.config.arms import Arm
from tacit.training.storage.run_folder import RunFolder

from .reading.saved_seed import SavedSeed, save_stamp, saved_seed
from .reading.standing import standing_of

MOST_SEEDS = 64  # that are told; those under way come first
REWARD = "reward/"  # begins the tags of what KPIs paid


class Standings:
    """How the repetitions of a run stood when each was saved last."""

    def __init__(self, run: RunFolder, arms: Mapping[str, Arm]) -> None:
        """Nothing is read yet.

        Args:
            run: the run.
            arms: of the run, as they were configured.
        """
        self._run, self._arms = run, arms
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._ended: set[str] = set()
        self._has_looked = False

    def changed(self, under_way: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Repetitions that were saved since the last call, by name (`arm/s0`), and how they stand.

        Args:
            under_way: names of those that train now.
        """
        names = dict.fromkeys([*under_way, *self._stamps])
        if not self._has_looked:  # those that ended before the page was opened
            names |= dict.fromkeys(
                f"{arm.name}/s{k}" for arm in self._arms.values() for k in range(arm.seeds)
            )
            self._has_looked = True
        for name in names:
            arm, k = self._seed(name)
            if arm is None or (name in self._ended and name not in under_way):
                continue
            stamp = save_stamp(self._run, arm.name, k)
            is_new = name not in self._stamps
            if not any(stamp) or self._stamps.get(name) == stamp:
                continue
            if is_new and len(self._stamps) >= MOST_SEEDS and name not in under_way:
                continue
            self._stamps[name] = stamp
            try:
                saved = saved_seed(self._run, arm, k)
                if saved is not None:
                    yield name, standing_of(saved, self._paid(saved))
            except (ConfigError, OSError) as error:
                yield name, {"name": name, "mistake": str(error)}
                continue
            self._ended.discard(name)
            if saved is not None and saved.is_finished:
                self._ended.add(name)

    def _seed(self, name: str) -> tuple[Arm | None, int]:
        arm, _, number = name.rpartition("/s")
        own = self._arms.get(arm)
        return (own, int(number)) if own is not None and number.isdigit() else (None, 0)

    def _paid(self, saved: SavedSeed) -> dict[str, float]:
        """What the KPI paid every seat at the last evaluation point, from its event file."""
        try:
            return last_scalars(self._run.seed(saved.arm.name, saved.k), saved.read_at, REWARD)
        except OSError:
            return {}
