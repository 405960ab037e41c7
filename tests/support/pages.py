"""Runs the code blocks of a page of the documentation, from top to bottom, in a folder of its own.

| block | what happens |
|---|---|
| ```` ```python title="a.py" ````, `yaml` likewise | the text becomes the file `a.py` |
| ```` ```python ```` | executed; all of a page share one namespace; with `>>>` as a doctest |
| ```` ```console ```` | lines that begin with `$ ` are run; what follows is their output |

In expected output `...` stands for any text, runs of blanks are one blank, and numbers need to
agree within 2 % or .02: other processors give other last digits.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.terminal import Terminal

FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")


@dataclass(frozen=True)
class CodeBlock:
    """One fenced block of a page."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[CodeBlock]:
    """All fenced blocks that name a language."""
    return [CodeBlock(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def run_page(page: Path, folder: Path, terminal: Terminal | None = None) -> int:
    """Run a page's blocks in `folder`, which must be the working folder; returns how many ran.

    Commands of tacit run in processes of their own, or in this one through a `terminal`.
    """
    namespace: dict[str, Any] = {}
    environment = dict(os.environ)
    ran = 0
    for block in blocks(page):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python" and ">>>" in block.text:
            _doctest(block.text, namespace, page.name)
        elif block.language == "python":
            exec(compile(block.text, str(page), "exec"), namespace)
        elif block.language == "console":
            _console(block.text, folder, environment, terminal)
        else:
            continue
        ran += 1
    return ran


def _doctest(text: str, namespace: dict[str, Any], name: str) -> None:
    test = doctest.DocTestParser().get_doctest(text, namespace, name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed, _ = runner.run(test, clear_globs=False)
    namespace.update(test.globs)
    assert not failed, f"{name}: an example does not print what stands below it"


def _console(
    text: str, folder: Path, environment: dict[str, str], terminal: Terminal | None
) -> None:
    """Run the commands of a console block and compare what they print."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    for part in parts[1:]:
        command, _, expected = part.partition("\n")
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            environment[name] = value
            if terminal is not None:
                terminal.export(name, value)
            continue
        words = shlex.split(command, comments=True)
        if words[0] == "tacit" and terminal is not None:
            result = terminal(*words[1:])
            _check(command, result.code, result.out, result.err, expected)
            continue
        if words[0] == "tacit":
            words = [
                sys.executable,
                "-c",
                "from tacit.training.cli import main; main()",
                *words[1:],
            ]
        elif words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        _check(command, done.returncode, done.stdout, done.stderr, expected)


def _check(command: str, code: int, out: str, err: str, expected: str) -> None:
    """Compare what a command printed; one of which nothing is shown must end well."""
    if expected.strip():
        assert_like(out if code == 0 else err, expected, command)
    else:
        assert code == 0, f"{command}: {err}"


def assert_like(printed: str, expected: str, what: str) -> None:
    """Whether what was printed is what a page shows, number by number."""
    pattern, numbers = "", []
    words = expected.split()
    for word in words:
        shown = NUMBER.findall(word)
        literal = "(-?[\\d.e-]+)".join(re.escape(part) for part in NUMBER.split(word))
        pattern += (r"\s*" if not pattern or word.startswith("...") else r"\s+") + literal
        numbers += [float(number) for number in shown]
    pattern = pattern.replace(re.escape("..."), r"[\s\S]*?")
    found = re.search(pattern + r"\s*$", printed)
    assert found, f"{what}: printed\n{printed}\nwhere the page has\n{expected}"
    for got, wanted in zip(found.groups(), numbers, strict=True):
        near = abs(float(got) - wanted) <= max(0.02, 0.02 * abs(wanted))
        assert near, f"{what}: printed {got} where the page has {wanted}\n{printed}"
