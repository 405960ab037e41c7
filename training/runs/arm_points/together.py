"""All repetitions of an arm, trained side by side in threads of this process.

For trials that are no run: `tacit drill`, studies. `runner.py` trains runs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tacit.envs.errors import ConfigError
from tacit.training.acts.gate import Gate
from tacit.training.config.arms import Arm
from tacit.training.runs.progress import SeedProgress
from tacit.training.runs.seed_run import Repetition
from tacit.training.storage.machine import workers
from tacit.training.storage.run_folder import RunFolder

from .points import ArmPoints
from .slots import Slot, Slots

Prepare = Callable[[Repetition], None]


def train_together(
    run: RunFolder,
    arm: Arm,
    prepare: Prepare | None = None,
    refused: list[ConfigError] | None = None,
) -> list[Repetition]:
    """Train all repetitions of an arm until they end or are held.

    Args:
        run: a folder, in which nothing is trained otherwise.
        arm: what is trained.
        prepare: called with each repetition before it is trained.
        refused: receives the errors that ended repetitions; None: they are raised.

    Returns:
        The repetitions, as they are then.

    Raises:
        ConfigError: of the first repetition that could not be trained, unless `refused` is given.
    """
    points = ArmPoints(arm.seeds) if arm.has_arm_breakers else None
    slots = Slots(workers())
    places = [Slot(slots) for _ in range(arm.seeds)]
    every = [Repetition(run, arm, k, points, places[k]) for k in range(arm.seeds)]

    def train(repetition: Repetition) -> ConfigError | None:
        try:
            if prepare is not None:
                prepare(repetition)
            with repetition.events:
                repetition.train(_no_report, Gate())
            return None
        except ConfigError as error:
            return error
        finally:
            places[repetition.k].give_up()
            if points is not None:
                points.leave(repetition.k)

    with ThreadPoolExecutor(max(1, arm.seeds)) as threads:
        errors = [error for error in threads.map(train, every) if error is not None]
    if refused is not None:
        refused += errors
    elif errors:
        raise errors[0]
    return every


def _no_report(progress: SeedProgress) -> None:
    pass
