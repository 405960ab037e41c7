"""Lists that stand on pages are what the commands above them print.

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
LISTS = {"list.md": "list", "reproduce.md": "reproduce --list"}


def page_of(name: str) -> Path:
    return ROOT / "docs/commands" / name


def block_of(text: str, words: str) -> re.Match[str]:
    """The fenced block below the first line that is the command alone."""
    found = re.search(rf"(?ms)^    tacit {words}\n\n```\n(.*?)^```$", text)
    assert found is not None, f"no output stands below `tacit {words}`"
    return found


def printed(words: str) -> str:
    """What the command prints in a folder without runs, lines without blanks behind them."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "tacit", *words.split()],
            cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": ""},
        )  # fmt: skip
    return "".join(f"{line.rstrip()}\n" for line in run.stdout.splitlines())


@pytest.mark.parametrize("name", LISTS)
def test_a_page_has_what_its_command_prints(name):
    text = page_of(name).read_text(encoding="utf-8")
    assert block_of(text, LISTS[name])[1] == printed(LISTS[name])


if __name__ == "__main__":
    for name, words in LISTS.items():
        text = page_of(name).read_text(encoding="utf-8")
        first, last = block_of(text, words).span(1)
        page_of(name).write_text(text[:first] + printed(words) + text[last:], encoding="utf-8")
