"""States of a repetition on its way, from which any of its rounds can be played again.

A repetition is a function of its configuration and its seed. So a run keeps no log of its rounds:
it keeps *keyframes*, the group's whole state at evaluation points, and plays rounds again from the
last keyframe before them (`training/record/replay.py`). Round 0 needs none, since it follows from
the configuration, and the end needs none, since it is the checkpoint.

`keyframes.safetensors` in a repetition's folder holds the arrays as `<rounds>/<name>`. Its SHA-256
is in the repetition's record, whose hash is sealed by the ledger. Where a breaker has rolled the
repetition back, every branch has a file of its own, and that of a branch that was left holds its
last state too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.envs.errors import ConfigError

from .atomic_files import read_file, write_atomically
from .checkpoint import contiguous

NAME = "keyframes.safetensors"

State = dict[str, NDArray[Any]]  # what `Group.state()` returns


class Keyframes:
    """The states of one repetition, evenly spaced within a budget of bytes.

    Every evaluation point is kept while the budget allows it, else every second, every fourth, and
    so on. Which are kept depends on the sizes of states only, so an interrupted repetition keeps
    the same ones.

    Attributes:
        budget: bytes that all states together may take.
        stride: one state is kept of so many evaluation points.
        states: by the rounds that were played, ascending.
    """

    def __init__(self, budget: int) -> None:
        """No state so far."""
        self.budget, self.stride, self.states = budget, 1, dict[int, State]()
        self._points: dict[int, int] = {}  # rounds: the number of the evaluation point, from 1
        self._sizes: dict[int, int] = {}  # rounds: bytes of the state

    def wants(self, point: int) -> bool:
        """Whether the state at this evaluation point, counted from 1, is to be kept."""
        return self.budget > 0 and point % self.stride == 0

    def add(self, point: int, rounds: int, state: State) -> None:
        """Keep the state at an evaluation point that is wanted; drop others if it is too much."""
        self._put(point, rounds, state)
        while sum(self._sizes.values()) > self.budget:
            self.stride *= 2
            for each in [r for r, p in self._points.items() if p % self.stride]:
                del self.states[each], self._points[each], self._sizes[each]

    def _put(self, point: int, rounds: int, state: State) -> None:
        self.states[rounds], self._points[rounds] = state, point
        self._sizes[rounds] = sum(array.nbytes for array in state.values())

    # --- saves of a repetition under way ---------------------------------------------------------

    def arrays(self) -> State:
        """All states as one table of arrays, by `<rounds>/<name>`."""
        return {
            f"{rounds}/{name}": array
            for rounds, state in self.states.items()
            for name, array in state.items()
        }

    def restore(
        self, arrays: Mapping[str, NDArray[Any]], points: Mapping[int, int], stride: int
    ) -> None:
        """Go on with what a save held.

        Args:
            arrays: as `arrays()` gave them.
            points: the number of each evaluation point, from 1, by its rounds.
            stride: as it was then.

        Raises:
            ValueError: a name that `arrays()` does not give.
            KeyError: a state at rounds that are no evaluation point.
        """
        self.stride = stride
        for rounds, state in sorted(split(arrays).items()):
            self._put(points[rounds], rounds, state)

    # --- files -----------------------------------------------------------------------------------

    def write(self, folder: Path, branch: int = 0) -> None:
        """Write the file of a finished repetition or of a branch that is left, or remove it where
        there is nothing to keep.

        Raises:
            ConfigError: the system refuses.
        """
        path = folder / file_name(branch)
        if not self.states:
            path.unlink(missing_ok=True)
            return
        arrays = {name: contiguous(array) for name, array in self.arrays().items()}
        write_atomically(path, save_tensors(arrays))


def file_name(branch: int) -> str:
    """The file of a branch; 0 is the one with which every repetition begins."""
    return NAME if branch == 0 else NAME.replace(".", f".b{branch}.", 1)


def read_keyframes(folder: Path, branch: int = 0) -> dict[int, State]:
    """The states of a repetition's branch by rounds, ascending; empty where it kept none.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = folder / file_name(branch)
    try:
        return dict(sorted(split(load_tensors(read_file(path))).items()))
    except FileNotFoundError:
        return {}
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: holds no states that can be read ({error}).") from None


def split(arrays: Mapping[str, NDArray[Any]]) -> dict[int, State]:
    """States by rounds, of arrays by `<rounds>/<name>`; the arrays of a state in order of name.

    Raises:
        ValueError: a name of another form.
    """
    states: dict[int, State] = {}
    for name, array in sorted(arrays.items()):
        rounds, _, own = name.partition("/")
        states.setdefault(int(rounds), {})[own] = array
    return states
