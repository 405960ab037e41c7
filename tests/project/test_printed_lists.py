"""What stands on these pages below a command is what the command prints.

`python tests/project/test_printed_lists.py` writes them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POLICY = "configs/experiments/own_agent/punisher.safetensors"
LISTS = {"commands/list.md": "list", "commands/reproduce.md": "reproduce --list"}
EXAMS = {
    "commands/exam.md": "exam competitive ad_auction --seeds 0",
    "own_agent/exam.md": f"exam {POLICY} own_bot --arm punisher -o exam.html",
}


def page_of(name: str) -> Path:
    return ROOT / "docs" / name


def block_of(text: str, words: str) -> re.Match[str]:
    """The fenced block below the first line that is the command alone."""
    found = re.search(rf"(?ms)^    tacit {re.escape(words)}\n\n```\n(.*?)^```$", text)
    assert found is not None, f"no output stands below `tacit {words}`"
    return found


def printed(words: str) -> str:
    """What the command prints in a folder without runs, lines without blanks behind them."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "configs").symlink_to(ROOT / "configs")
        run = subprocess.run(
            [sys.executable, "-m", "tacit", *words.split()],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": ""},
        )  # fmt: skip
    assert run.returncode in (0, 1), run.stderr  # 1: an exam found something
    return "".join(f"{line.rstrip()}\n" for line in run.stdout.splitlines())


def check(name: str, words: str) -> None:
    text = page_of(name).read_text(encoding="utf-8")
    assert block_of(text, words)[1] == printed(words)


@pytest.mark.parametrize("name", LISTS)
def test_a_page_has_the_list_that_its_command_prints(name):
    check(name, LISTS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMS)
def test_a_page_has_the_exam_that_its_command_prints(name):
    check(name, EXAMS[name])


if __name__ == "__main__":
    for name, words in {**LISTS, **EXAMS}.items():
        text = page_of(name).read_text(encoding="utf-8")
        first, last = block_of(text, words).span(1)
        page_of(name).write_text(text[:first] + printed(words) + text[last:], encoding="utf-8")
