"""The command line: which commands there are, and how they end.

Commands are thin: each parses, calls and prints. What is slow to import (numerics, TensorBoard,
torch) is imported inside the command that needs it, so that `tacit --help` waits for none of it.
To add a command: a function in one of the modules here, and a line in `COMMANDS`.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, TextIO

import typer

from tacit.training.plain_text import say

from . import attend, audit, check, control, data, look, oversee, play, prove, sweep, train
from .options import OnceCommand, PanelGroup
from .own_agent import exam, export, prior, tabulate

# Groups in the help.
TRAIN, COMPARE, PROVE, OVERSEE = "Train", "Compare", "Prove", "Oversee"
OWN = "Your own agent"
COMMANDS: tuple[tuple[str, str, Callable[..., None]], ...] = (
    (TRAIN, "train", train.train),
    (TRAIN, "resume", train.resume),
    (TRAIN, "sweep", sweep.sweep),
    (COMPARE, "compare", look.compare),
    (COMPARE, "phase", sweep.phase),
    (COMPARE, "board", look.board),
    (COMPARE, "list", look.list_),
    (COMPARE, "show", look.show),
    (COMPARE, "explain", look.explain),
    (PROVE, "reproduce", prove.reproduce),
    (PROVE, "best-response", prove.best_response),
    (PROVE, "calibrate", data.calibrate),
    (PROVE, "screen", data.screen),
    (OWN, "export", export.export),
    (OWN, "tabulate", tabulate.tabulate),
    (OWN, "exam", exam.exam),
    (OVERSEE, "lint", check.lint),
    (OVERSEE, "drill", check.drill),
    (OVERSEE, "deals", oversee.deals),
    (OVERSEE, "why", oversee.why),
    (OVERSEE, "blame", oversee.blame),
    (OVERSEE, "play", play.play),
    (OVERSEE, "report", oversee.report),
    (OVERSEE, "sign", audit.sign),
    (OVERSEE, "ctl", control.ctl),
    (OVERSEE, "attend", attend.attend),
)
# Every market's fit has options of its own: typer lets them pass, `calibrate` reads them.
SETTINGS: dict[str, dict[str, Any]] = {
    "calibrate": {
        "context_settings": {"ignore_unknown_options": True, "allow_extra_args": True},
        "epilog": "Every market adds options of its own, such as --interval: tacit list MARKET.",
    }
}

INTERRUPTED = 128 + signal.SIGINT
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP

app = typer.Typer(
    cls=PanelGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Watch bluffing and collusion emerge from the KPIs you write.",
)
for _panel, _name, _command in COMMANDS:
    app.command(_name, cls=OnceCommand, rich_help_panel=_panel, **SETTINGS.get(_name, {}))(_command)
app.add_typer(audit.app, name="audit", rich_help_panel=OVERSEE)
app.add_typer(prior.app, name="prior", rich_help_panel=OWN)


def main() -> None:
    """Run a command; a user's mistakes end in a line each and exit code 2, without a traceback."""
    _make_streams_usable()
    warnings.showwarning = _tell_warning
    _announce_compilation()
    stopped: list[int] = []
    handled = _stop_on_signals(stopped)
    try:
        if os.environ.get("TACIT_PLUGINS"):
            from tacit.envs.plugins import load_plugins

            load_plugins()
        app()
    except ValueError as error:
        from tacit.envs.errors import ConfigError  # imported late: --help needs nothing of it

        if not isinstance(error, ConfigError):
            raise
        _end_with(error.mistakes)
    except BrokenPipeError:
        # Whatever reads the output, `head` say, has closed it. Python would fail once more when it
        # flushes standard output at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, MemoryError, RecursionError) as error:
        _end_with([_in_words(error)])
    except Exception as error:
        from .numba_error import in_one_line

        runner = sys.modules.get("tacit.training.runs.runner")
        if runner is not None and isinstance(error, runner.Interrupted):
            for line in error.advice.splitlines():
                say(line, is_error=True)
            sys.exit(error.exit_code)
        if (told := in_one_line(error)) is None:
            raise
        _end_with([told])
    except (KeyboardInterrupt, SystemExit) as end:
        # Typer makes an exit with 130 of every interruption that a command has not dealt with.
        code = end.code if isinstance(end, SystemExit) else INTERRUPTED
        signals = sys.modules.get("tacit.training.runs.signals")
        came = stopped or (signals.RAISED if signals is not None else [])
        if not came or code != INTERRUPTED:
            sys.exit(code)
        say("stopped; what was written is kept", is_error=True)
        sys.exit(128 + came[-1])
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def _stop_on_signals(stopped: list[int]) -> dict[signal.Signals, Any]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: every command ends as it ends at Ctrl-C.

    What the process ignores (SIGHUP under `nohup`) stays ignored. Training has handlers of its own
    (`runs/signals.py`).

    Args:
        stopped: the number of a signal that came is appended.

    Returns:
        What handled them before.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    usual = (signal.SIG_DFL, signal.default_int_handler)
    known = (getattr(signal, name) for name in STOPPING if hasattr(signal, name))
    before = {number: signal.getsignal(number) for number in known}
    found = {number: handler for number, handler in before.items() if handler in usual}
    for number in found:
        signal.signal(number, stop)
    return found


class Notes(io.TextIOWrapper):
    """Standard error that cannot fail: progress and notes, whose loss must not end a training.

    A log may lie on a disk that is full, or its reader may be gone.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


def _make_streams_usable() -> None:
    """Standard streams that can be written to: a daemon has none, and a terminal may be ASCII."""
    if type(sys.stderr) is io.TextIOWrapper:
        sys.stderr = Notes(sys.stderr.detach(), encoding=sys.stderr.encoding, line_buffering=True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started the process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what it cannot show is written out


def _announce_compilation() -> None:
    """Have the line printed that `tacit.envs.jit.compiling` logs; not beside JSON."""
    logger = logging.getLogger("tacit.compiling")
    logger.setLevel(logging.INFO)
    if not logger.handlers and "--json" not in sys.argv:
        logger.addHandler(_Announcement())


class _Announcement(logging.Handler):
    """Prints what is logged, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        say(record.getMessage(), is_error=True)


def _tell_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """What tacit warns of, in a line; all else as Python tells it."""
    if category.__module__.partition(".")[0] == "tacit":
        say(f"note: {message}", is_error=True)
    else:
        say(
            warnings.formatwarning(message, category, filename, lineno, line), is_error=True, end=""
        )


def _in_words(error: OSError | MemoryError | RecursionError) -> str:
    """What the system refused, in a line."""
    if isinstance(error, MemoryError):
        return f"there is not enough memory for this{f' ({error})' if str(error) else ''}."
    if isinstance(error, RecursionError):
        return "something that was read is nested too deeply."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


def _end_with(mistakes: list[str]) -> None:
    """Print mistakes, a line each, and exit with code 2."""
    count = len(mistakes)
    say(f"error: {count} mistake{'s' * (count > 1)}", is_error=True)
    for line in mistakes:
        # A name with a line feed in it must not look like a second mistake.
        say("  " + line.replace("\n", "\\n"), is_error=True)
    sys.exit(2)
