"""`tacit --help`: every command, quickly; words that are no command; readers that go away."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.terminal import Terminal, python

from tacit.training.cli import app

GROUPED = [["audit"], ["audit", "seal"], ["audit", "verify"]]
COMMANDS = [c.name or c.callback.__name__ for c in app.registered_commands]


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_commands():
    assert COMMANDS == [
        "train", "resume", "compare", "board", "list", "show", "reproduce", "best-response",
        "calibrate", "screen", "lint", "deals", "why", "blame", "play", "report",
        "sign", "ctl", "attend",
    ]  # fmt: skip
    assert [group.name for group in app.registered_groups] == ["audit"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), *GROUPED], ids=str)
def test_help_of_every_command(command, tacit):
    result = tacit(*command, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"Usage: tacit {' '.join(command)}".rstrip() in result.out
    if not command:
        assert all(f" {name} " in result.out for name in COMMANDS)


def test_help_imports_none_of_the_numerics(tmp_path):
    text = (
        "import sys; from tacit.training.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numba', 'numpy', 'scipy', 'tensorboard', 'matplotlib'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    assert "heavy: []" in python(text, tmp_path, "--help").out
    assert "heavy: []" in python(text, tmp_path, "train", "--help").out
    listed = python(text, tmp_path, "train", "ad_auction", "--show").out
    assert "torch" not in listed.rpartition("heavy:")[2]


def test_no_words_show_the_help(tacit):
    result = tacit()
    assert "Usage: tacit" in result.out + result.err


@pytest.mark.parametrize("words", [("trian",), ("train",), ("train", "ad_auction", "--quick")])
def test_words_that_are_no_command_end_with_2(words, tacit):
    result = tacit(*words)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path):
    command = f'"{sys.executable}" -c "from tacit.training.cli import main; main()" list | head -1'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.stdout.startswith(b"market")
    assert done.stderr == b""
