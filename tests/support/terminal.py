"""The command line as a user meets it: words in; exit code, output and errors out."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from tacit.training.cli import main

# A process of its own builds the commands once; here every call would build them anew.
COMMAND_OF = cache(typer.main.get_command)
SMALL = ("train.rounds=20000", "train.measure_last=5000", "train.evaluate_every=2500", "seeds=2")


class CommandResult(NamedTuple):
    """What a command left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in this process, in a folder of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: Any) -> None:
        self.folder, self._patch, self._capture = folder, patch, capture
        patch.setattr(typer.main, "get_command", COMMAND_OF)
        patch.chdir(folder)

    def __call__(self, *words: str) -> CommandResult:
        self._capture.readouterr()
        self._patch.setattr(sys, "argv", ["tacit", *words])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        return CommandResult(code, *self._capture.readouterr())

    def export(self, name: str, value: str) -> None:
        """Set a variable of the environment, as a shell does."""
        self._patch.setenv(name, value)

    def train(self, *words: str) -> CommandResult:
        """A small run."""
        return self("train", words[0], *SMALL, *words[1:])


def python(text: str, folder: Path, *words: str) -> CommandResult:
    """A program in a process of its own."""
    words = (sys.executable, "-c", text, *words)
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def mistake_lines(result: CommandResult) -> list[str]:
    """The lines of an error; nothing else may have been printed."""
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    head, *lines = result.err.splitlines()
    assert head == f"error: {len(lines)} mistake{'s' * (len(lines) > 1)}"
    return [line.removeprefix("  ") for line in lines]
