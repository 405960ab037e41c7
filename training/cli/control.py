"""`tacit ctl`: acts on a run that trains."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, Results

if TYPE_CHECKING:
    from tacit.training.acts.protocol import Envelope


def ctl(
    run: str,
    act: Annotated[
        str,
        typer.Argument(
            help="status, pause, step, resume, stop, ask, pace, rollback, reweight, redirect, "
            "override or veto"
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            help="reweight: bidder.price_change=0; redirect: market.price_mix=.5",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="step: so many")] = 1,
    latch: Annotated[str, typer.Option("--latch", help="resume: person or breaker")] = "person",
    pace: Annotated[
        str | None, typer.Option("--pace", metavar="R|max", help="pace: rounds a second")
    ] = None,
    arm: Annotated[str, typer.Option("--arm", help="whose seeds (default: the only arm)")] = "",
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="which seed (default: all under way)")
    ] = None,
    branch: Annotated[
        int | None, typer.Option("--branch", min=0, help="refused if the seed is on another one")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="-N|rROUND", help="rollback: states back, or a round")
    ] = "",
    redirect: Annotated[
        list[str] | None,
        typer.Option("--redirect", metavar="KEY=VALUE|none", help="rollback: what is changed"),
    ] = None,
    fresh_stream: Annotated[
        bool, typer.Option("--fresh-stream", help="other draws than before")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="learned values begin anew")] = False,
    copy: Annotated[int, typer.Option("--copy", min=0, help="override, veto: of the market")] = 0,
    seat: Annotated[str, typer.Option("--seat", help="override, veto: whose action")] = "",
    action: Annotated[str, typer.Option("--action", help='override: as in "price 0.4"')] = "",
    breaker: Annotated[str, typer.Option("--breaker", metavar="NAME", help="trip: which")] = "",
    reason: Annotated[str, typer.Option("--reason", help="why; only stop and pace need none")] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="who acts (default: you)")] = "",
    id_: Annotated[
        str, typer.Option("--id", help="of the act: the same again is not done twice")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what it would do")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the envelope alone")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Act on RUN while it trains: look, pause, step, ask; roll back, redirect, override."""
    import uuid

    from tacit.envs.errors import ConfigError, nearest
    from tacit.training.acts.client import send
    from tacit.training.acts.protocol import ACTS, parse_request
    from tacit.training.acts.words import pace_of, redirect_of
    from tacit.training.storage.run_folder import existing_run

    if act not in ACTS:
        raise ConfigError(f"ACT: unknown '{act}'. {nearest(act, ACTS)}")
    folder = existing_run(run, results)
    request = {
        "id": id_ or uuid.uuid4().hex, "act": act, "by": by or getpass.getuser(),
        "reason": reason, "rounds": rounds, "dry_run": dry_run, "latch": latch, "arm": arm,
        "seed": seed, "branch": branch, "to": to, "copy": copy, "seat": seat, "action": action,
        "breaker": breaker,
        "pace": pace_of(act, pace),
        "redirect": redirect_of(act, values or [], redirect or [], fresh_stream, forget),
    }  # fmt: skip
    envelope = send(folder, parse_request(json.dumps(request).encode()))
    if as_json:
        print(json.dumps(envelope.model_dump(mode="json"), allow_nan=False))
    else:
        _tell(envelope)
    if envelope.refused or not (envelope.applied or dry_run or act == "status"):
        sys.exit(2)


def _tell(envelope: Envelope) -> None:
    """Print what became of an act, and where the seeds are."""
    say(f"{envelope.target}: {envelope.detail}")
    for line in envelope.preview:
        say(f"  {line}")
    for name, own in envelope.screen.get("seeds", {}).items():
        say(f"  {name}: {_seed_text(own)}")


def _seed_text(seed: dict[str, Any]) -> str:
    """A seed under way in a few words."""
    words = [f"round {seed['round']:,}"]
    if seed["branch"]:
        words.append(f"branch {seed['branch']}")
    if seed["headline"] is not None:
        words.append(f"{seed['headline']:.4g}")
    if seed["pace"] is not None:
        words.append(f"{seed['pace']:g} rounds a second")
    if seed["held"]:
        by = seed.get("breaker")
        words.append(f"held by breaker {by}" if by else "held")
    return ", ".join(words)
