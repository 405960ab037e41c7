"""The paths of a run, and commands about it as its user types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.storage.run_folder import RunFolder, existing_run


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


def refusal(run: str, results: Path) -> str:
    with pytest.raises(ConfigError) as error:
        existing_run(run, results)
    (line,) = error.value.mistakes
    return line


def test_a_run_that_is_not_there_is_refused_with_what_would_help(tmp_path):
    run = tmp_path / "mine"
    (run / "base/s0").mkdir(parents=True)
    for name in ("config.yaml", "incentives.json"):
        (run / name).write_text("{}")
    assert existing_run("mine", tmp_path).path == existing_run(str(run), tmp_path).path == run
    assert refusal("mien", tmp_path).endswith("Did you mean 'mine'?")
    for inside in (run / "base/s0", run / "config.yaml"):
        assert refusal(str(inside), tmp_path) == (
            f"RUN: '{inside}' lies within a run. Name the run itself: {run}."
        )
    assert refusal("overpromise", tmp_path) == (
        f"RUN: there is no run 'overpromise' in {tmp_path}. `tacit train overpromise` makes it."
    )
    assert refusal("mine", tmp_path / "no") == f"--results: there is no folder {tmp_path / 'no'}."
