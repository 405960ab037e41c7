"""`tacit ctl`: with which code it ends; what it asks the run is tested in `tests/training/acts`."""

from __future__ import annotations

import pytest
from support.terminal import Terminal

from tacit.training.acts.protocol import Envelope


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def answer(**keys) -> Envelope:
    own = {"id": "a", "act": "pause", "target": "mine", "applied": False, "dry_run": False}
    return Envelope(**{**own, "round": {}, "detail": "told", **keys})


@pytest.mark.parametrize(
    ("words", "keys", "code"),
    [
        ("pause --reason why", {"applied": True}, 0),
        ("pause --reason why", {"refused": True}, 2),
        ("pause --reason why --dry-run", {"dry_run": True}, 0),
        ("pause --reason why --dry-run", {"dry_run": True, "refused": True}, 2),
        ("status", {"act": "status"}, 0),
        ("status", {"act": "status", "refused": True}, 2),
    ],
)
def test_it_ends_with_2_where_nothing_was_or_would_be_done(tacit, monkeypatch, words, keys, code):
    (tacit.folder / "results" / "mine").mkdir(parents=True)
    (tacit.folder / "results" / "mine" / "config.yaml").write_text("{}")
    monkeypatch.setattr("tacit.training.acts.client.send", lambda run, request: answer(**keys))
    result = tacit("ctl", "mine", *words.split())
    assert (result.code, result.out, result.err) == (code, "mine: told\n", "")
