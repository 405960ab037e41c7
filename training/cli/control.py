"""`tacit ctl`: acts on a run that trains."""

from __future__ import annotations

import getpass
import json
import sys
from typing import Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results


def ctl(
    run: str,
    act: Annotated[str, typer.Argument(help="status, pause, step, resume, stop or ask")],
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="step: so many")] = 1,
    reason: Annotated[str, typer.Option("--reason", help="why; only stop needs none")] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="who acts (default: you)")] = "",
    id_: Annotated[
        str, typer.Option("--id", help="of the act: the same again is not done twice")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what it would do")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the envelope alone")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Act on RUN while it trains: look, pause, step, go on, stop, ask."""
    import uuid

    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.acts.client import send
    from tacit.training.acts.protocol import ACTS, ActRequest, parse_request
    from tacit.training.storage.run_folder import existing_run

    if act not in ACTS:
        raise ConfigError(f"ACT: unknown '{act}'. {nearest(act, ACTS)}")
    folder = existing_run(run, results)
    request = ActRequest.model_construct(
        id=id_ or uuid.uuid4().hex, act=act, by=by or getpass.getuser(), reason=reason,
        rounds=rounds, dry_run=dry_run,
    )  # fmt: skip
    envelope = send(folder, parse_request(request.model_dump_json().encode()))
    if as_json:
        print(json.dumps(envelope.model_dump(mode="json"), allow_nan=False))
    else:
        say(f"{envelope.target}: {envelope.detail}")
        for name, seed in envelope.screen.get("seeds", {}).items():
            held = ", held" if seed["held"] else ""
            headline = "" if seed["headline"] is None else f", {seed['headline']:.4g}"
            say(f"  {name}: round {seed['round']:,}{headline}{held}")
    if not envelope.applied and not dry_run and act != "status":
        sys.exit(2)
