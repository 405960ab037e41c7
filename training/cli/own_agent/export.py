"""`tacit export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacit.training.cli.options import DEFAULT_RESULTS, Results
from tacit.training.plain_text import say


def export(
    run: str,
    seat: Annotated[str | None, typer.Option("--seat", help="whose policy")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="by default the first")] = None,
    seed: Annotated[int, typer.Option("--seed", help="the repetition, 0 .. seeds - 1")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")] = Path(
        "policy.safetensors"
    ),
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Write what a seat of RUN learned into a policy file, with a card that says whose it is."""
    from tacit.training.own_agent.export import export_policy
    from tacit.training.storage.load_run import load_run

    card = export_policy(load_run(run, results), seat, arm, seed, output)
    say(f"wrote {output}: {card.seat} of {card.market}, table {card.table_hash}")
