"""What the end of a run needs of single arms, made while other arms are still trained.

When the last repetition of an arm has ended, a thread takes the probes that need all repetitions
(`tacit.emergence.registry.CONTROLS`), and a second process draws the arm's plots. Nothing is
written: whatever is missing at the end, after an interruption say, is made then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.board.picture_process import PictureProcess
from tacit.training.config.arms import Experiment
from tacit.training.storage.run_folder import RunFolder

from .probing import Controls, control_figures
from .summary import measures_of

FROM_ARMS = 3  # for fewer, a process takes longer to start than it saves
Job = tuple[str, int]  # an arm and a repetition
Records = Mapping[Job, dict[str, Any]]


class Ahead:
    """Figures and pictures of arms whose repetitions have all ended. A context that ends its thread
    and its process.

    Attributes:
        pictures: draws plots of arms.
    """

    def __init__(self, experiment: Experiment, run: RunFolder, jobs: Sequence[Job]) -> None:
        """Nothing is made so far.

        Args:
            experiment: what is trained.
            run: its folder.
            jobs: the repetitions that are to be trained.
        """
        self._experiment, self._run = experiment, run
        self._left = Counter(name for name, _ in jobs)
        self._draws = len(self._left) >= FROM_ARMS
        self._controls: dict[str, Future[Controls]] = {}
        self._thread = ThreadPoolExecutor(1)
        self.pictures = PictureProcess()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self.pictures.close()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def ended(self, name: str, records: Records) -> None:
        """A repetition of an arm has ended.

        Args:
            name: of the arm.
            records: of all repetitions that have ended so far.
        """
        self._left[name] -= 1
        if self._left[name] == 0:
            own = [records[name, k] for k in range(self._experiment.arms[name].seeds)]
            self._controls[name] = self._thread.submit(self._make, name, own)

    def controls(self, name: str) -> Controls | None:
        """The figures of an arm's controls; None where they are still to be made."""
        made = self._controls.get(name)
        return None if made is None or made.exception() is not None else made.result()

    def _make(self, name: str, records: Sequence[Mapping[str, Any]]) -> Controls:
        """Ask for an arm's pictures, and make its controls' figures.

        Raises:
            ConfigError: they cannot be made, which is told at the end.
        """
        if self._draws:
            self.pictures.ask(name, measures_of(records))
        try:
            return control_figures(self._run, self._experiment.arms[name])
        except Exception as error:  # code of a user's own probe
            raise ConfigError(f"arm {name}: {error!r}") from error
