"""The socket of a run that trains: only its user, only whole requests, and nothing stops it."""

from __future__ import annotations

import json
import os
import select
import socket
import stat
import threading
from contextlib import ExitStack
from functools import partial

import pytest
from support.acts.served import reachable_run, served_control

from tacit.envs.errors import ConfigError
from tacit.oversight.ledger import Ledger
from tacit.training.acts import server
from tacit.training.acts.client import send
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.protocol import MOST_BYTES, ActRequest, parse_request
from tacit.training.acts.runtime_folder import make_folder, socket_path
from tacit.training.acts.server import MOST_CLIENTS, serving
from tacit.training.storage.run_folder import RunFolder


@pytest.fixture
def run(tmp_path, monkeypatch):
    with reachable_run(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def served(run):
    with served_control(run) as control:
        yield control


def act(name, **options):
    return ActRequest(**{"id": name, "act": name, "by": "alice", "reason": "a look", **options})


def raw(run, *parts, read=True):
    """Bytes as they are, and the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(socket_path(run)))
        for part in parts:
            connection.sendall(part)
        return json.loads(connection.makefile("rb").readline()) if read else None


def test_an_act_and_its_envelope(run, served):
    found = send(run, act("pause"))
    assert (found.id, found.act, found.target) == ("pause", "pause", "mine")
    assert (found.applied, found.dry_run) == (True, False)
    assert found.round == {"base/s0": 0}
    assert served.latches == ["person"]


def test_only_its_user_can_reach_it(run, served):
    path = socket_path(run)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not tell who")
def test_another_user_is_refused(run, served, monkeypatch):
    path = socket_path(run)
    monkeypatch.setattr(server.os, "getuid", lambda: os.geteuid() + 1)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(act("pause").line)
        found = json.loads(connection.makefile("rb").readline())
    assert found["applied"] is False
    assert found["detail"] == "by: only the user who trains the run may act on it."
    assert served.latches == []


GOOD = json.loads(act("pause").line)
HOSTILE = {
    "not JSON": b"pause\n",
    "no table": b"[1, 2]\n",
    "empty": b"\n",
    "an unknown key": json.dumps({**GOOD, "sudo": True}).encode() + b"\n",
    "an unknown act": json.dumps({**GOOD, "act": "erase"}).encode() + b"\n",
    "another kind": json.dumps({**GOOD, "dry_run": "no"}).encode() + b"\n",
    "no author": json.dumps({**GOOD, "by": " "}).encode() + b"\n",
    "no reason": json.dumps({**GOOD, "reason": ""}).encode() + b"\n",
    "an escape": json.dumps({**GOOD, "by": "\x1b[2J"}).encode() + b"\n",
    "a line feed": json.dumps({**GOOD, "reason": "a\nb"}).encode() + b"\n",
    "a path for an id": json.dumps({**GOOD, "id": "../../x"}).encode() + b"\n",
    "steps of a pause": json.dumps({**GOOD, "rounds": 5}).encode() + b"\n",
    "negative steps": json.dumps({**GOOD, "act": "step", "rounds": -1}).encode() + b"\n",
    "too long": b"[" * (MOST_BYTES + 2) + b"\n",
    "nested": b"[" * 60_000 + b"\n",
    "a pace of none": json.dumps({**GOOD, "act": "pace", "pace": 0}).encode() + b"\n",
    "an unknown arm": json.dumps({**GOOD, "act": "pace", "arm": "x"}).encode() + b"\n",
    "a rollback without a redirect": json.dumps({**GOOD, "act": "rollback"}).encode() + b"\n",
    "not UTF-8": b'{"id": "\xff"}\n',
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_not_a_whole_request_does_nothing(kind, run, served):
    found = raw(run, HOSTILE[kind])
    assert found["applied"] is False
    assert found["detail"]
    assert served.latches == []
    assert not run.ledger.exists()
    assert send(run, act("pause")).applied  # it goes on answering


def test_all_mistakes_of_a_request_are_told():
    with pytest.raises(ConfigError) as error:
        parse_request(json.dumps({**GOOD, "by": "", "reason": " "}).encode())
    assert [line.partition(":")[0] for line in error.value.mistakes] == ["by", "reason"]


def test_clients_that_say_or_read_nothing_keep_nobody_waiting(run, served):
    with ExitStack() as stack:
        for _ in range(20):
            silent = stack.enter_context(socket.socket(socket.AF_UNIX))
            silent.connect(str(socket_path(run)))
        for _ in range(10):
            deaf = stack.enter_context(socket.socket(socket.AF_UNIX))
            deaf.connect(str(socket_path(run)))
            deaf.sendall(act("status").line)
        assert send(run, act("pause")).applied


def test_a_hundred_clients_are_answered_or_told_to_come_back(run, served):
    answers = []

    def ask():
        answers.append(send(run, act("status")).detail)

    clients = [threading.Thread(target=ask) for _ in range(100)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(30)
    assert len(answers) == 100
    assert set(answers) <= {"held by nothing: it trains", "busy: try again."}


def test_too_many_at_once_are_told_so(run, served):
    """Clients who say nothing fill the room; threads may take their places in any order, so the
    last client to come need not be the one that finds none."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(MOST_CLIENTS)]
        for client in [*clients, late := stack.enter_context(socket.socket(socket.AF_UNIX))]:
            client.connect(str(socket_path(run)))
        told, _, _ = select.select([*clients, late], [], [], 15)
        answers = [json.loads(client.makefile("rb").readline())["detail"] for client in told]
        assert answers == ["busy: try again."]


def test_what_a_killed_process_left_is_replaced(run):
    make_folder()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_path(run)))
    with pytest.raises(ConfigError, match="nothing trains"):
        send(run, act("status"))
    control = RunControl()
    with control.training(Ledger(run.ledger)), serving(run, control):
        assert send(run, act("status")).detail == "held by nothing: it trains"
    assert not socket_path(run).exists()


def test_a_run_that_nobody_trains(run):
    with pytest.raises(ConfigError, match=r"RUN: nothing trains .*mine now"):
        send(run, act("status"))


def test_a_folder_that_others_can_enter_is_not_used(run):
    make_folder().chmod(0o755)
    with pytest.raises(ConfigError, match="nobody else can enter"):
        make_folder()
    control, gate = RunControl(partial(serving, run)), Gate()
    with control.training(Ledger(run.ledger)), control.seed(("base", 0), gate):
        assert not socket_path(run).exists()  # it trains without one
        assert not gate.is_attended  # so no breaker waits for a release that cannot come


def test_too_long_a_path_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 120)))
    with pytest.raises(ConfigError, match="too long a path for a socket"):
        socket_path(run)
    control, gate = RunControl(partial(serving, run)), Gate()
    with control.training(Ledger(run.ledger)), control.seed(("base", 0), gate):
        assert not gate.is_attended


def test_a_ledger_that_cannot_be_read_lets_nobody_reach_the_run(run):
    control, gate = RunControl(partial(serving, run)), Gate()
    ledger = Ledger(run.ledger)
    run.ledger.write_text("no entry\n")
    with control.training(ledger), control.seed(("base", 0), gate):
        assert not gate.is_attended


def test_within_its_socket_a_breaker_may_wait(run):
    control, gate, later = RunControl(partial(serving, run)), Gate(), Gate()
    with control.training(Ledger(run.ledger)), control.seed(("base", 0), gate):
        assert gate.is_attended
    with control.seed(("base", 1), later):
        assert not later.is_attended


def test_an_act_that_fails_by_a_mistake_of_the_program_is_told_to_both(run, served, capsys):
    def fails(latch):
        raise ValueError("one\ntwo")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served, "hold", fails)
        found = send(run, act("pause"))
    assert (found.id, found.applied) == ("pause", False)
    assert found.detail == r"act: failed by ValueError('one\ntwo')."
    assert capsys.readouterr().err == f"mine: pause pause: {found.detail}\n"
    again = send(run, act("pause"))  # it is in the ledger, and is not done a second time
    assert "id: pause was done already" in again.detail
    assert served.latches == []


def test_two_names_of_a_run_are_one_socket(run, tmp_path):
    (tmp_path / "link").symlink_to(run.path)
    assert socket_path(RunFolder(tmp_path / "link")) == socket_path(run)
