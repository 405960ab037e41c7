"""A run that seems to train, and the page's server on it."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="needs pip install 'tacit[page]'")
pytest.importorskip("uvicorn", reason="needs pip install 'tacit[page]'")

from support.acts.served import reachable_run, served_control
from support.attend.rooms import room_on

from tacit.training.config.load import load


@pytest.fixture
def run(tmp_path, monkeypatch):
    with reachable_run(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def experiment():
    return load("ad_auction", ["seeds=2"])


@pytest.fixture
def served(run):
    with served_control(run) as control:
        yield control


@pytest.fixture
def page(run, experiment, served):
    with room_on(run, experiment) as page:
        yield page
