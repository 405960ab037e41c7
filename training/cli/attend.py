"""`tacit attend`: a local page on a run that trains."""

from __future__ import annotations

import getpass
import uuid
from contextlib import nullcontext
from typing import Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results

EXTRA = "attend: needs a web server: pip install 'tacit[page]'."


def attend(
    run: str,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="of the page (default: a free one)")
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="only print the address")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Watch RUN while it trains, in a browser: live measures, pause, step, go on, stop, ask."""
    from tacit.envs.errors import ConfigError
    from tacit.training.acts.client import send
    from tacit.training.acts.protocol import ActRequest
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.storage.run_folder import existing_run

    folder = existing_run(run, results)
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
    say("The page is yours alone; Ctrl-C closes it, and training goes on.")
    with nullcontext() if no_open else opened(room.url):
        room.serve()
