"""`tacit play`: a person takes a seat of a trained run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results

if TYPE_CHECKING:
    from tacit.training.play.session import PlaySession

FOLDER = "play"  # in `results`, where sessions are kept without -o
ELSEWHERE = "-o FILE writes elsewhere."
LONGEST = 100  # characters of a run's name in the name of a file


def play(
    run: str,
    seat: Annotated[str, typer.Option("--seat", help="whose place you take, as in buyer_0")],
    arm: Annotated[
        str | None, typer.Option("--arm", help="of which arm (needed where there are several)")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="of which seed, 0 .. n-1")] = 0,
    rounds: Annotated[int, typer.Option("--rounds", help="how many at most")] = 20,
    learning: Annotated[
        bool, typer.Option("--learning", help="the others go on learning; nothing is saved")
    ] = False,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="NAME", help="draws follow from it (default: the file)"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the table, into .csv or .parquet")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="play in a browser")] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="of the page (default: a free one)")
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="only print the address")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Take a seat of a trained run, and play against the trained agents."""
    from tacit.training.config.mistakes import MistakeList
    from tacit.training.play import terminal
    from tacit.training.play.closing_text import score_lines, transcript_lines
    from tacit.training.play.opening import check_session, open_session
    from tacit.training.play.score import score_of
    from tacit.training.play.table import write_table
    from tacit.training.record.table_file import check_name
    from tacit.training.show.terminal import console
    from tacit.training.storage.load_run import load_run

    if page:
        _need_page()
    whole = load_run(run, results)
    mistakes = MistakeList()
    with mistakes.collecting():
        check_session(whole, arm, seat, seed, rounds)
    if output is not None:
        with mistakes.collecting():
            check_name(output)
    mistakes.raise_if_any()
    started = f"{whole.folder.name[:LONGEST]}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path = output if output is not None else _new_file(results / FOLDER, started)
    count = 0
    try:
        own = open_session(whole, seat, arm, seed, rounds, learning, session or path.stem)
        next_time = 0.0  # before which the table is not written again

        def keep_at_leisure() -> None:
            nonlocal count, next_time
            begun = time.monotonic()
            if begun >= next_time:
                count = write_table(path, own)
                # Answers from a file come quickly: writing may take a tenth of the time.
                next_time = time.monotonic() + 10 * (time.monotonic() - begun)

        if page:
            _play_in_browser(own, keep_at_leisure, port, no_open)
        else:
            terminal.play(own, keep_at_leisure)
        if own.has_decisions:
            count = write_table(path, own)
    finally:
        if output is None and not count:
            with suppress(OSError):
                path.unlink()
    out = console()
    if not count:
        say("Nothing was decided, so no file was written.")
        return
    say(f"\nWrote {count:,} decisions to {path}")
    for line in transcript_lines(own):
        out.print(line, soft_wrap=True)
    for line in score_lines(own, score_of(own)):
        out.print(line, soft_wrap=True)


def _need_page() -> None:
    """Check that the web server is installed.

    Raises:
        ConfigError: it is not.
    """
    from importlib.util import find_spec

    from tacit.envs.errors import ConfigError

    if not all(map(find_spec, ("starlette", "uvicorn"))):
        raise ConfigError("--page: needs a web server: pip install 'tacit[page]'.")


def _play_in_browser(
    session: PlaySession, after_round: Callable[[], None], port: int, no_open: bool
) -> None:
    """Serve a session's page until Ctrl-C; the session is over then."""
    from tacit.training.attend.seat.seated import SeatedSession
    from tacit.training.attend.seat.serve import SeatRoom
    from tacit.training.attend.serve import listen, opened

    room = SeatRoom(SeatedSession(session, after_round), listen(port))
    say(f"{session.seat.name} of {session.run}: {room.url}")
    say("The page is yours alone; Ctrl-C ends the session and writes the table.")
    try:
        with nullcontext() if no_open else opened(room.url):
            room.serve()
    except KeyboardInterrupt:
        say("")
    session.stop()


def _new_file(folder: Path, name: str) -> Path:
    """An empty file that no other command has: `NAME.csv`, or `NAME-2.csv` and so on.

    Raises:
        ConfigError: the system refuses.
    """
    from tacit.envs.errors import ConfigError

    number = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "config.yaml").exists():
            raise ConfigError(f"{folder}: is a run, to which nothing is added. {ELSEWHERE}")
        while True:
            number += 1
            path = folder / f"{name}{f'-{number}' if number > 1 else ''}.csv"
            with suppress(FileExistsError):
                path.open("x").close()
                return path
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"{folder}: cannot be written: {why}. {ELSEWHERE}") from None
