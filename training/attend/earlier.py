"""The curve of a seed from before the page was opened, from the seed's event file."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.training.board.event_file import event_files
from tacit.training.board.read_scalars import read_scalars
from tacit.training.config.arms import Arm
from tacit.training.storage.run_folder import RunFolder

MOST_BYTES = 16_000_000  # of an event file, so that reading it takes less than a second

Point = tuple[int, float]  # rounds played, and the headline measure read then


def earlier_points(run: RunFolder, arms: Mapping[str, Arm], seed: str, most: int) -> list[Point]:
    """What was read of a seed's headline so far, in order; nothing where it cannot be read.

    Args:
        run: the run.
        arms: its arms.
        seed: as the run's socket calls it, `arm/s0`.
        most: points at most, evenly spread.
    """
    name, _, number = seed.rpartition("/s")
    try:
        arm, folder = arms[name], run.seed(name, int(number))
        if sum(path.stat().st_size for path in event_files(folder)) > MOST_BYTES:
            return []
        tag = f"measure/market/{arm.market.headline}"
        points = sorted((step, value) for (_, step), value in read_scalars(folder, {tag}).items())
    except Exception:  # of TensorBoard's readers; a curve that begins later is no mistake
        return []
    return points[:: 1 + len(points) // most]
