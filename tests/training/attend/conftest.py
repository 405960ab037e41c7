"""A run that seems to train, and the page's server on it."""

from __future__ import annotations

from contextlib import ExitStack
from tempfile import TemporaryDirectory, gettempdir

import pytest

pytest.importorskip("starlette", reason="needs pip install 'tacit[page]'")
pytest.importorskip("uvicorn", reason="needs pip install 'tacit[page]'")

from support.attend.rooms import Held, room_on

from tacit.oversight.ledger import Ledger
from tacit.training.acts.control import RunControl
from tacit.training.acts.server import serving
from tacit.training.config.load import load
from tacit.training.storage.run_folder import RunFolder


@pytest.fixture
def run(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "results/mine")
    folder.path.mkdir(parents=True)
    with TemporaryDirectory(dir=gettempdir()) as short:  # pytest's own are too long for sockets
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield folder


@pytest.fixture
def experiment():
    return load("ad_auction", ["seeds=2"])


@pytest.fixture
def served(run):
    """A control with one seed that is held at once, behind a socket."""
    control = RunControl()
    with ExitStack() as stack:
        stack.enter_context(control.training(Ledger(run.ledger)))
        stack.enter_context(control.seed(("base", 0), Held()))
        stack.enter_context(serving(run, control))
        yield control


@pytest.fixture
def page(run, experiment, served):
    with room_on(run, experiment) as page:
        yield page
