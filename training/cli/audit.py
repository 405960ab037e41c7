"""`tacit sign` and `tacit audit`: who stands behind an objective; whether a run is what it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, ArmOption, OnceCommand, PanelGroup, Results

app = typer.Typer(
    cls=PanelGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Seal a finished run, and verify one: chain, seals, signatures, rounds played again.",
)
SignersOption = Annotated[
    Path | None,
    typer.Option("--signers", help="your allowed_signers (else $TACIT_SIGNERS, else git's)"),
]
RevokedOption = Annotated[
    Path | None,
    typer.Option("--revoked", help="keys that no longer count (else $TACIT_REVOKED, else git's)"),
]


def sign(
    target: Annotated[str, typer.Argument(metavar="RUN|CONFIG", help="a run, or a YAML file")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="who stands behind it")],
    reason: Annotated[str, typer.Option("--reason", help="why, in one line")],
    key: Annotated[
        Path | None, typer.Option("--key", help="a key of SSH; without: named, not signed")
    ] = None,
    arm: ArmOption = None,
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="who answers for it")] = "",
    expires: Annotated[str, typer.Option("--expires", metavar="YYYY-MM-DD")] = "",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Sign the objectives of RUN or CONFIG, or name somebody who stands behind them."""
    from tacit.oversight.objective import state_lines
    from tacit.oversight.signers import find_signers
    from tacit.training.record.lint import ways_to_game
    from tacit.training.record.signing import (
        Signing,
        choose_arms,
        config_states,
        sign_config,
        sign_run,
    )

    signing = Signing(by, reason, key, owner, expires)
    signing.check_words()
    config = Path(target)
    if config.suffix in (".yaml", ".yml"):
        from tacit.training.config.load import load

        experiment = load(target)
        arms = choose_arms(experiment, arm or [])
        ways = ways_to_game(arms)
        say(f"wrote {sign_config(config, experiment, arm or [], signing, ways)}")
        states = config_states(config, arms, find_signers())
    else:
        from tacit.training.storage.load_run import load_run

        run = load_run(target, results)
        ways = ways_to_game(choose_arms(run.experiment, arm or []))
        states = sign_run(run.folder, arm or [], signing, ways)
    say("Known ways to game it (tacit lint), which now stand on the incentive card:")
    for name, lines in ways.items():
        for line in lines:
            if not line.startswith("not examined: "):
                say(f"  {name}: {line}")
    for line in state_lines({name: state.text for name, state in states.items()}):
        say(line)


@app.command("seal", cls=OnceCommand)
def seal(
    run: str,
    key: Annotated[Path | None, typer.Option("--key", help="a key of SSH that signs")] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="who signs")] = "",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Keep the last rounds of every seed of RUN and anchor its ledger, signed if a key is given."""
    from tacit.training.record.sealing import seal_run
    from tacit.training.storage.run_folder import existing_run

    done = seal_run(existing_run(run, results), key, by, _progress)
    say(f"sample: {done.rounds:,} rounds of {done.samples} seeds")
    say(f"anchor: {done.anchor}{'' if key else ', not signed'}; keep a copy on another machine")
    say(f"head:   {done.head}")


@app.command("verify", cls=OnceCommand)
def verify(
    run: str,
    replay: Annotated[
        str, typer.Option("--replay", metavar="N|all", help="intervals that are played again")
    ] = "0",
    signers: SignersOption = None,
    revoked: RevokedOption = None,
    anchor: Annotated[
        Path | None, typer.Option("--anchor", help="an anchor that you kept elsewhere")
    ] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Whether RUN is what was trained, signed and sealed; exit code 1 names what was altered."""
    from tacit.envs.errors import ConfigError
    from tacit.oversight.signers import find_signers
    from tacit.training.record.verification import EVERY
    from tacit.training.record.verification import verify as verify_run
    from tacit.training.storage.run_folder import existing_run

    if replay != "all" and not (replay.isascii() and replay.isdigit()):
        raise ConfigError(f"--replay: must be a number of intervals or all, got {replay!r}.")
    folder = existing_run(run, results)
    count = EVERY if replay == "all" else int(replay)
    lists = find_signers(signers, revoked, outside=folder.path)
    found = verify_run(folder, lists, count, anchor, _progress)
    for line in found.lines:
        say(line.replace("\n", "\\n"))
    for line in found.altered:
        say("WRONG  " + line.replace("\n", "\\n"))
    say(found.verdict)
    if found.altered:
        sys.exit(1)


@app.command("reproduce", cls=OnceCommand)
def reproduce(
    run: str,
    arm: ArmOption = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Train RUN once more elsewhere, from configuration, seeds and people's acts, and compare."""
    from tacit.training.record.reproduction import reproduce_run
    from tacit.training.show.progress_bar import ProgressBar
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.storage.run_folder import existing_run

    folder = existing_run(run, results)
    market = next(iter(read_experiment(folder).arms.values())).market
    with ProgressBar(market.headline) as progress_bar:
        found = reproduce_run(folder, arm or [], progress_bar)
    same = found.seeds - len(found.differing) - len(found.elsewhere)
    say(
        f"trained once more, with {found.changes} acts that change what is learned: {same} of "
        f"{found.seeds} seeds are the same, bit for bit"
    )
    for line in found.elsewhere:
        say(f"{line}: trained on another type of machine, where bits may differ")
    for line in found.differing:
        say(f"WRONG  {line}: not what configuration, seed and acts lead to")
    if found.differing:
        sys.exit(1)


def _progress(name: str) -> None:
    """Tell a terminal which repetition was played last."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kplayed {ascii(name)[1:-1]}")
        sys.stderr.flush()
