"""The end of a run: probes, summary, verdicts, bands, plots, figure, seals.

Only what changed is written. An arm's bands and plots are made of its part of the summary and of
its seeds' event files; where the hash of these is the one that was sealed, they stay as they are.
So adding an arm to a run of hundreds costs the time of one arm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from tacit.training.config.arms import Arm, Experiment
from tacit.training.storage.atomic_files import as_json, write_atomically
from tacit.training.storage.cards import write_cards
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.seals import Sealer
from tacit.training.storage.signature_files import objective_states

from .ahead import Ahead
from .goodhart import add_goodhart_gaps
from .judging import judge
from .probing import complete
from .summary import ArmSummary, arm_summary, assemble

PAGES_VERSION = 3  # of what is written for TensorBoard: pages of an older version are made anew
Records = dict[tuple[str, int], dict[str, Any]]  # by arm and repetition: its checkpoint.json
Summaries = dict[str, dict[str, Any]]
Report = Callable[[str, int, int], None]  # what is worked on, steps done, steps in all
# Draws the figure that an experiment asks for into the run's folder, if it asks for one.
Draw = Callable[[Experiment, Mapping[str, ArmSummary], RunFolder], None]


def finish(
    experiment: Experiment,
    whole: Experiment,
    run: RunFolder,
    records: Records,
    earlier: Summaries,
    sealer: Sealer,
    report: Report,
    draw: Draw | None = None,
    ahead: Ahead | None = None,
) -> dict[str, Any]:
    """Complete a run whose seeds are all trained.

    Args:
        experiment: what was trained.
        whole: the run with all its arms, in order.
        run: its folder.
        records: of every seed of the arms that were trained.
        earlier: summaries of the run's other arms.
        sealer: records and seals what is written.
        report: told what is worked on, how many steps of this work are done, and of how many.
        draw: draws the figure.
        ahead: what was made of single arms while others were trained.

    Returns:
        The summary of all arms, as written to summary.json.
    """
    summaries, steps = dict(earlier), 2 * len(experiment.arms)
    for done, (name, arm) in enumerate(experiment.arms.items()):
        report(f"probes of {name}", done, steps)
        own = [records[name, k] for k in range(arm.seeds)]
        complete(run, arm, own, sealer.open, None if ahead is None else ahead.controls(name))
        summaries[name] = arm_summary(experiment.name, arm, own)
    # Gaps and verdicts compare arms: all that have a summary are judged anew.
    arms = {a: arm for a, arm in whole.arms.items() if a in summaries}
    add_goodhart_gaps(arms, summaries)
    judge(arms, summaries, whole.file.adoption)
    for done, (name, arm) in enumerate(experiment.arms.items()):
        report(f"curves of {name}", steps // 2 + done, steps)
        rank = list(whole.arms).index(name)
        _write_band(run, arm, summaries[name], records, sealer, rank, ahead)
    in_order = {name: summaries[name] for name in whole.arms if name in summaries}
    summary = assemble(experiment.name, in_order)
    text = as_json(summary).encode()
    figure = run.figure(whole.name)
    if not run.summary.is_file() or run.summary.read_bytes() != text:
        sealer.open()
        write_atomically(run.summary, text)
        if draw is not None:
            draw(whole, in_order, run)
    elif draw is not None and not figure.is_file() and whole.file.figure:
        sealer.open()
        draw(whole, in_order, run)
    for name, arm in experiment.arms.items():
        sealer.seeds(name, arm.seeds)
    own_records = {
        a: [records[a, k] for k in range(arm.seeds)] for a, arm in experiment.arms.items()
    }
    write_cards(run, experiment.arms, own_records, sealer)
    sealer.files(run.summary, figure, run.config, run.incentives)
    report("done", 1, 1)
    return summary


def _write_band(
    run: RunFolder,
    arm: Arm,
    summary: ArmSummary,
    records: Records,
    sealer: Sealer,
    rank: int,
    ahead: Ahead | None,
) -> None:
    """An arm's bands, page of verdicts and plots, unless they are there already; `rank`: the arm's
    place in the run."""
    seeds = [records[arm.name, k].get("events_sha256") for k in range(arm.seeds)]
    own = {k: v for k, v in summary.items() if k != "machine"}
    made_of = hash_of([own, seeds, PAGES_VERSION])
    folder = run.band(arm.name)
    if sealer.holds(arm.name, made_of, folder) and None not in seeds:
        return
    # slow to import, and a run in which nothing was trained needs neither
    from tacit.training.board import EventFile, write_arm_session, write_bands, write_verdicts
    from tacit.training.board.bands import curve_of

    sealer.open()
    with EventFile(folder, rank=rank) as events:
        each = [(records[arm.name, k], run.seed(arm.name, k)) for k in range(arm.seeds)]
        write_bands(events, [curve_of(record, path, arm) for record, path in each], arm)
        write_arm_session(events, arm, summary)
        drawn = None if ahead is None else ahead.pictures.pictures(arm.name, summary["measures"])
        write_verdicts(events, folder, arm.name, summary, drawn)
    sealer.files(folder)
    sealer.seals.made_of[arm.name] = made_of
    sealer.keep()


def write_pages(experiment: Experiment, run: RunFolder, sealer: Sealer) -> None:
    """What TensorBoard shows of the whole run, unless that is there already."""
    about = experiment.file.model_dump(mode="json")
    states = {arm: state.text for arm, state in objective_states(run, experiment.arms).items()}
    plain = {name: arm.plain for name, arm in experiment.arms.items()}
    whole = [about, plain, states, PAGES_VERSION]
    if experiment.overridden:  # absent in runs of earlier versions, whose pages stay
        whole.append({name: list(words) for name, words in experiment.overridden.items()})
    made_of = hash_of(whole)
    present = [name for name in sealer.seals.files if "/" not in name and "tfevents" in name]
    if sealer.seals.made_of.get("") == made_of and all(run.inside(p).is_file() for p in present):
        return
    from tacit.training.board import EventFile, write_run_pages  # slow to import

    sealer.open()
    with EventFile(run.path) as events:
        write_run_pages(events, experiment, states, sealer.ledger)
    for name in present:
        sealer.seals.files.pop(name)
    sealer.files(events.path)
    sealer.seals.made_of[""] = made_of


def hash_of(data: Any) -> str:
    """SHA-256 of data, as hexadecimal digits."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
