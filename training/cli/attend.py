"""`tacit attend`: a local page on a run that trains."""

from __future__ import annotations

import getpass
import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results

if TYPE_CHECKING:
    from tacit.training.storage.run_folder import RunFolder

EXTRA = "attend: needs a web server: pip install 'tacit[page]'."


def attend(
    run: Annotated[
        str, typer.Argument(metavar="RUN|CONFIG", help="a run; with --seed also a configuration")
    ],
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="of the page (default: a free one)")
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="only print the address")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="put this seed on the bench")
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="bench: of this arm (default: the first)")
    ] = None,
    from_: Annotated[
        int, typer.Option("--from", min=0, metavar="ROUND", help="bench: as it was after so many")
    ] = 0,
    pace: Annotated[
        str, typer.Option("--pace", metavar="R|max", help="bench: rounds a second")
    ] = "20",
    frozen: Annotated[
        bool, typer.Option("--frozen", help="bench: agents neither explore nor learn")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="bench: only take acts from tacit ctl")
    ] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Watch RUN while it trains, in a browser, and act on it; or put one of its seeds on a bench,
    at a pace of its own."""
    from tacit.envs.errors import ConfigError
    from tacit.training.acts.words import pace_of
    from tacit.training.storage.run_folder import existing_run

    if seed is None:
        if arm is not None or from_ or frozen or no_page:
            raise ConfigError("--seed: missing; --arm, --from, --frozen and --no-page need it.")
        _page(existing_run(run, results), port, no_open)
        return
    from tacit.training.bench.making import Wanted, make_bench
    from tacit.training.bench.trainer import train_bench, training_process

    rounds_a_second = pace_of("pace", pace)
    bench = make_bench(Wanted(run, arm, seed, from_, frozen), results)
    say(f"{bench.name}: on the bench; {bench.command('ctl')} status")
    if no_page or not _has_page():
        if not no_page:
            say("without a page, which needs: pip install 'tacit[page]'")
        from tacit.training.runs.progress import NoProgress

        train_bench(bench, rounds_a_second, NoProgress())
        return
    with training_process(bench, rounds_a_second):
        _page(bench, port, no_open, "Ctrl-C closes it, and has the bench save and end.")


def _has_page() -> bool:
    """Whether what the page needs is installed."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("starlette", "uvicorn"))


ENDS = "Ctrl-C closes it, and training goes on."


def _page(folder: RunFolder, port: int, no_open: bool, end: str = ENDS) -> None:
    """Serve the page on a run that trains until Ctrl-C; `end` says what that does."""
    from tacit.envs.errors import ConfigError
    from tacit.training.acts.client import send
    from tacit.training.acts.protocol import ActRequest
    from tacit.training.storage.load_run import read_experiment

    try:
        from tacit.training.attend.facts import facts_of
        from tacit.training.attend.serve import Room, listen, opened
        from tacit.training.attend.watch import Watch
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(EXTRA) from None
    send(folder, ActRequest(id=uuid.uuid4().hex, act="status", by="page"))
    listening = listen(port)
    experiment = read_experiment(folder)
    facts = facts_of(folder.name, experiment, getpass.getuser())
    room = Room(Watch(folder, experiment.arms), facts, listening)
    say(f"{folder.name}: {room.url}")
    say(f"The page is yours alone; {end}")
    with nullcontext() if no_open else opened(room.url):
        room.serve()
