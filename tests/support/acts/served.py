"""A run that seems to train, behind its socket."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory, gettempdir

from tacit.oversight.ledger import Ledger
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.server import serving
from tacit.training.storage.run_folder import RunFolder


class Held(Gate):
    """A gate whose repetition is held as soon as it is shut, and plays steps at once."""

    def shut(self):
        super().shut()
        self.is_held = True

    def open(self):
        super().open()
        self.is_held = False

    def step(self, rounds):
        super().step(rounds)
        self.rounds = self._until  # they are played at once


@contextmanager
def reachable_run(tmp_path, monkeypatch):
    """An empty run, and a runtime folder of its own (pytest's paths are too long for sockets)."""
    folder = RunFolder(tmp_path / "results/mine")
    folder.path.mkdir(parents=True)
    with TemporaryDirectory(dir=gettempdir()) as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield folder


@contextmanager
def served_control(run):
    """A control with one seed that is held at once, behind the run's socket."""
    control = RunControl()
    with (
        control.training(Ledger(run.ledger)),
        control.seed(("base", 0), Held()),
        serving(run, control),
    ):
        yield control
