"""What a system refuses and how it stops a command: full disks, closed streams, signals."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.terminal import Terminal, python

from tacit.training import cli
from tacit.training.board import plot_style

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
STOPS = [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]
MAIN = "from tacit.training.cli import main; main()"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def usual_signals():
    """Signals as a shell leaves them; pytest, or who started it, may ignore some."""
    usual = dict.fromkeys((signal.SIGTERM, signal.SIGHUP), signal.SIG_DFL)
    usual[signal.SIGINT] = signal.default_int_handler
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield usual
    for number, handler in before.items():
        signal.signal(number, handler)


def sent(name: str) -> None:
    """Send this process a signal, and wait for it."""
    os.kill(os.getpid(), getattr(signal, name))
    time.sleep(5)


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize(("name", "code"), STOPS)
def test_every_signal_gets_the_sentence_of_ctrl_c(tacit, monkeypatch, name, code):
    monkeypatch.setattr(cli, "app", lambda: sent(name))
    assert tacit("list") == (code, "", "stopped; what was written is kept\n")


@pytest.mark.parametrize(("name", "code"), STOPS)
def test_an_interruption_that_typer_turns_into_an_exit_is_told_as_well(
    tacit, monkeypatch, usual_signals, name, code
):
    def typer_s():
        try:
            sent(name)
        except KeyboardInterrupt:
            sys.exit(130)

    monkeypatch.setattr(cli, "app", typer_s)
    assert tacit("list").code == code
    assert {number: signal.getsignal(number) for number in usual_signals} == usual_signals


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_command_that_knows_how_to_end_ends_as_it_does_at_ctrl_c(tacit, monkeypatch, name):
    def play():
        try:
            sent(name)
        except KeyboardInterrupt:
            cli.say("Wrote 3 decisions")

    monkeypatch.setattr(cli, "app", play)
    assert tacit("list") == (0, "Wrote 3 decisions\n", "")


@pytest.mark.usefixtures("usual_signals")
def test_what_nohup_ignores_stays_ignored(tacit, monkeypatch):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(cli, "app", lambda: os.kill(os.getpid(), signal.SIGHUP))
    assert tacit("list").code == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), STOPS)
def test_a_signal_just_before_tensorboard_is_started_has_its_exit_code(tmp_path, name, code):
    train = ["train", "ad_auction", "train.rounds=2000", "train.measure_last=500", "seeds=2"]
    python(MAIN, tmp_path, *train, "--name", "small")
    program = (
        "import os, signal\n"
        "from tacit.training.board import server\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"server.command = lambda *_: os.kill(os.getpid(), signal.{name})\n"
        f"{MAIN}"
    )
    done = python(program, tmp_path, "board", "small")
    assert done.code == code
    assert "stopped; what was written is kept" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), STOPS[1:])
@pytest.mark.parametrize("command", ["play small --seat bidder_0", "board small", "screen b.csv"])
def test_signals_end_commands_in_words(tmp_path, name, code, command):
    """Each is stopped while it waits, or reads: `screen` is given a pipe that nobody writes to."""
    train = ["train", "ad_auction", "train.rounds=2000", "train.measure_last=500", "seeds=2"]
    python(MAIN, tmp_path, *train, "--name", "small")
    program = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); {MAIN}"
    if command.startswith("screen"):
        waits = "lambda *a: (print('reads', flush=True), time.sleep(60))"
        first = f"import time, tacit.training.screening as s; s.screen = {waits}; "
        program, command = first + program, f"{command} --tender t --bid b"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *command.split()], cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline()  # it has begun
    process.send_signal(getattr(signal, name))
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    assert process.returncode in (0, code)
    assert process.returncode == 0 or "stopped; what was written is kept" in told


# --- streams -------------------------------------------------------------------------------------


@needs_full
def test_a_full_disk_behind_standard_output_is_told(tacit, monkeypatch):
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(cli, "app", lambda: cli.say("a line"))
        monkeypatch.setattr(sys, "argv", ["tacit", "list"])
        with pytest.raises(SystemExit) as end:
            cli.main()
        monkeypatch.undo()
        assert end.value.code == 2
        with pytest.raises(OSError, match="No space left"):  # Python's own end tries once more
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


@needs_full
@pytest.mark.parametrize("target", [FULL, None])
def test_standard_error_cannot_fail(target):
    """A full disk behind it, or a pipe that nobody reads."""
    if target is None:
        read, write = os.pipe()
        os.close(read)
        raw: io.BufferedIOBase = os.fdopen(write, "wb")
    else:
        raw = target.open("wb")
    notes = cli.Notes(raw, encoding="utf-8", line_buffering=True)
    assert notes.write("a line\n") == 7
    notes.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), raw.fileno())
    notes.close()


@needs_full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "code"),
    [(">/dev/full", 2), ("2>/dev/full", 0), (">&-", 0), ("2>&-", 0), (">&- 2>&- <&-", 0)],
)
def test_a_training_runs_whatever_its_streams_lead_to(tmp_path, ends, code):
    words = "train ad_auction train.rounds=2000 train.measure_last=500 seeds=2"
    line = f'exec "{sys.executable}" -c "{MAIN}" {words} {ends}'
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False)
    assert (tmp_path / "results/ad_auction/summary.json").is_file()


def test_a_letter_that_the_font_has_not_is_no_warning():
    figure, _ = plot_style.new_figure(1)
    figure.suptitle("\u65e5\u672c")
    buffer = io.BytesIO()
    plot_style.save(figure, buffer, format="png")  # warnings are errors here
    assert buffer.getvalue()[:4] == b"\x89PNG"
