"""The paths of a run, and commands about it as its user types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.training.storage.run_folder import RunFolder


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("results/mine", "tacit resume mine"),
        ("there/mine", "tacit resume mine --results there"),
        ("there/two words", "tacit resume 'two words' --results there"),
        ("two words/a'b", "tacit resume 'a'\"'\"'b' --results 'two words'"),
        ("results/-x", "tacit resume -- -x"),
        ("there/--help", "tacit resume --results there -- --help"),
    ],
)
def test_a_printed_command_names_its_run(path, command):
    assert RunFolder(Path(path)).resume == command


def test_options_stand_before_a_name_that_looks_like_one():
    command = RunFolder(Path("there/-x")).command("resume", "--release", "too low")
    assert command == "tacit resume --results there --release 'too low' -- -x"
