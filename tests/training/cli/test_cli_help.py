"""`tacit --help`: every command, quickly; words that are no command; readers that go away."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import pytest
from support.terminal import SMALL, Terminal, python
from support.training_fixtures import small

from tacit.envs.jit.loops import TemporaryCacheWarning
from tacit.training import cli
from tacit.training.cli import app

GROUPED = [
    ["audit"], ["audit", "seal"], ["audit", "verify"],
    ["prior"], ["prior", "fit"], ["prior", "show"], ["prior", "export"],
]  # fmt: skip
COMMANDS = [c.name or c.callback.__name__ for c in app.registered_commands]


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_commands():
    assert COMMANDS == [
        "train", "resume", "sweep", "compare", "phase", "board", "list", "show", "explain",
        "reproduce", "best-response", "calibrate", "screen", "export", "tabulate", "exam", "lint",
        "drill", "deals", "why", "blame", "play", "report", "sign", "ctl", "attend",
    ]  # fmt: skip
    assert [group.name for group in app.registered_groups] == ["audit", "prior"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), *GROUPED], ids=str)
def test_help_of_every_command(command, tacit):
    result = tacit(*command, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"Usage: tacit {' '.join(command)}".rstrip() in result.out
    if not command:
        assert all(f" {name} " in result.out for name in COMMANDS)
    if command in ([], ["audit"], ["prior"]):  # sentences are whole, over as many lines as it takes
        _, *lines = result.out.splitlines()
        assert not [line for line in lines if line.endswith("...")]


# What commands import, one after the other in one process, in which what was imported stays.
IMPORTED = """
import sys
import warnings
from tacit.training.cli import main
heavy = {
    "torch", "numba", "numpy", "scipy", "tensorboard", "google.protobuf", "matplotlib",
    "scipy.stats", "scipy.optimize", "pydantic", "typer.rich_utils",
}
for words in sys.argv[1:]:
    sys.argv = ["tacit", *words.split()]
    try:
        main()
    except SystemExit:
        pass
    print("heavy:", *sorted(heavy & set(sys.modules)))
"""


def heavy(folder, *words):
    result = python(IMPORTED, folder, *words)
    found = [line for line in result.out.splitlines() if line.startswith("heavy:")]
    assert len(found) == len(words), result.err
    return found


def test_help_imports_none_of_the_numerics(tmp_path):
    whole, of_a_command = heavy(tmp_path, "--help", "train --help")
    assert whole == "heavy:"
    assert of_a_command in ("heavy:", "heavy: pydantic")  # by which Typer converts arguments


@pytest.mark.slow
def test_neither_a_config_that_is_shown_nor_lint_imports_torch(tmp_path):
    shown, linted = heavy(tmp_path, "train ad_auction --show", "lint ad_auction")
    assert "numpy" in shown
    assert "torch" not in shown + linted


@pytest.mark.slow
def test_commands_that_compile_nothing_import_no_numba(tmp_path):
    """What is compared and shown needs quantiles (scipy.special), and nothing else of weight."""
    small(tmp_path / "results", name="once")
    heavy(tmp_path, "list")  # keeps its rows, for which it imports all markets and learners
    listed, mistaken = heavy(tmp_path, "list", "train ad_auctoin")
    assert {listed, mistaken} == {"heavy: pydantic"}
    compared, shown = heavy(tmp_path, "compare once", "show once")
    assert {compared, shown} <= {"heavy: numpy pydantic", "heavy: numpy pydantic scipy"}
    heavy(tmp_path, f"train procurement --name tender {' '.join(SMALL)}")
    (shown,) = heavy(tmp_path, "show tender")  # which asks the market what nature draws
    assert shown in {"heavy: numpy pydantic", "heavy: numpy pydantic scipy"}
    train = f"train ad_auction --name once {' '.join(SMALL)}"
    heavy(tmp_path, train)  # marks that this command has nothing to do, a figure to draw say
    (again,) = heavy(tmp_path, train)
    assert again in {"heavy: numpy pydantic", "heavy: numpy pydantic scipy"}


def test_no_words_show_the_help(tacit):
    result = tacit()
    assert "Usage: tacit" in result.out + result.err


@pytest.mark.parametrize("words", [("trian",), ("train",), ("train", "ad_auction", "--quick")])
def test_words_that_are_no_command_end_with_2(words, tacit):
    result = tacit(*words)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_output_that_nobody_reads_is_no_mistake(tmp_path, monkeypatch):
    """In this process: standard output leads nowhere once what reads it has closed it."""

    def closed():
        raise BrokenPipeError

    monkeypatch.setattr(cli, "app", closed)
    path = tmp_path / "read.txt"
    with path.open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        cli.main()
        print("what Python still has to write at its end", flush=True)
    assert path.read_text() == ""


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path):
    command = f'"{sys.executable}" -c "from tacit.training.cli import main; main()" list | head -1'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.stdout.startswith(b"market")
    assert done.stderr == b""


@pytest.mark.parametrize("missing", ["stdout", "stderr", "stdin"])
def test_a_process_without_a_standard_stream_runs(tacit, monkeypatch, missing):
    """As a daemon's: Python has None where it was closed."""
    monkeypatch.setattr(sys, missing, None)
    assert tacit("list", "ad_auction").code == 0
    getattr(sys, missing).close()


def test_what_a_terminal_cannot_show_is_written_out(tacit, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(cli, "app", lambda: cli.say("\u03b1\u03b2"))
    tacit("list")
    assert raw.getvalue() == b"\\u03b1\\u03b2\n"


def test_a_warning_of_ours_is_a_line(tacit, monkeypatch):
    monkeypatch.setattr(
        cli, "app", lambda: warnings.warn("kept for now", TemporaryCacheWarning, stacklevel=1)
    )
    with monkeypatch.context() as patch:
        patch.setattr(warnings, "filters", [("always", None, Warning, None, 0)])
        assert tacit("list").err == "note: kept for now\n"
