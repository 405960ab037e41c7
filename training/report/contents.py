"""What a report says of a run: every part computed anew from the run's folder."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tacit.emergence.verdict import DISCLAIMER
from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.lint.text import DISCLAIMER as LINT_DISCLAIMER
from tacit.oversight.lint.text import known_ways, report_lines
from tacit.training.board.verdict_text import verdict_lines
from tacit.training.config.arms import Arm, live_reason
from tacit.training.outcome.linting import lint_arm
from tacit.training.outcome.summary import read_summary
from tacit.training.record.deals import Deals, in_words, row_names, size, worst
from tacit.training.record.replay import SeedReplay
from tacit.training.record.selection import plan_deals, produce
from tacit.training.record.why import explain
from tacit.training.show.run_text import not_measured_lines, run_lines
from tacit.training.show.why_text import why_lines
from tacit.training.storage.atomic_files import read_json
from tacit.training.storage.load_run import Run
from tacit.training.studies.compare import compare
from tacit.training.studies.drill import drill

WORST = 10  # deals that a report shows
CANDIDATES = 200  # of every seed, among which those that differ are found
EXPLAINED = 3  # of them, explained in full
SEEDS = 4  # of every arm that are searched for them
SIMULATED = (
    "Everything here is about a simulated market. It is neither a conformity assessment nor legal "
    "advice."
)
NOT_EXPLAINED = "Why a deal was done {}. Its answers are kept, and `tacit deals` tells the facts."
NO_DRILLS = "None: no breaker is in force that could be tried."

Step = Callable[[str, int, int], None]  # what is worked on, steps done, steps in all


@dataclass(frozen=True)
class Deal:
    """One of the worst deals.

    Attributes:
        name: as `tacit why` takes it, behind the arm's name.
        harm: its size, as text.
        victim: whose measure.
        what: what was done, in the market's words.
        why: the explanation, line by line; empty: it is not explained here.
    """

    name: str
    harm: str
    victim: str
    what: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportContents:
    """All that a report says.

    Attributes:
        title: name of the run.
        about: question, market and KPIs, line by line.
        states: who stands behind each objective, line by line.
        made: when the report was made, UTC.
        machine: on which machine and with which versions the run was trained.
        arms: one row an arm, text by column.
        verdicts: words with evidence and what is missing, line by line.
        figures: pictures as PNG, base64, by title.
        cards: the incentive card of every arm.
        lint: by arm, what lint says, line by line.
        deals: the worst deals.
        searched: of which rounds they are the worst.
        acts: of the ledger: number, time, act, and the rest as text.
        head: the ledger's last hash.
        drills: the breakers in force, each tried when the report was made, line by line.
        not_examined: what was left out, line by line.
        notes: what must be said of every report.
    """

    title: str
    about: tuple[str, ...]
    states: tuple[str, ...]
    made: str
    machine: str
    arms: tuple[Mapping[str, str], ...]
    verdicts: tuple[str, ...]
    figures: Mapping[str, str]
    cards: Mapping[str, Any]
    lint: Mapping[str, tuple[str, ...]]
    deals: tuple[Deal, ...]
    searched: str
    acts: tuple[tuple[str, str, str, str], ...]
    head: str
    drills: tuple[str, ...]
    not_examined: tuple[str, ...]
    notes: tuple[str, ...] = field(default=(DISCLAIMER, LINT_DISCLAIMER, SIMULATED))


def collect(run: Run, states: Sequence[str], step: Step) -> ReportContents:
    """All that a report says of a run.

    Args:
        run: the run, which must be finished.
        states: lines that say who stands behind the objectives.
        step: told what is worked on.

    Raises:
        ConfigError: the run has no results, or files cannot be read.
    """
    folder, arms = run.folder, run.arms
    rows = [row.cells for row in compare([folder])]
    steps = 2 * len(arms)
    lint, ways = {}, {}
    for done, (name, arm) in enumerate(arms.items()):
        step(f"lint of {name}", done, steps)
        lint[name], ways[name] = _lint(arm)
    deals, searched = _worst_deals(run, lambda what, k: step(what, len(arms) + k, steps))
    entries = ledgers.read(folder.ledger) if folder.ledger.exists() else []
    figure = folder.figure(run.experiment.name)
    pictures = {"The experiment's figure": figure} if figure.is_file() else {}
    for name in arms:
        for path in sorted(folder.band(name).glob("*.png"))[:2]:
            pictures[f"{name}: {path.stem.replace('_', ' ')}"] = folder.inside(
                *path.relative_to(folder.path).parts
            )
    first = next(iter(read_summary(folder.summary).values()), {})
    not_examined = [
        *not_measured_lines(folder),
        *(f"worst deals: {line}" for line in searched[1:]),
    ]
    step("done", steps, steps)
    return ReportContents(
        title=folder.name,
        about=tuple(run_lines(folder)),
        states=tuple(states),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        machine=_machine_text(first.get("machine", {})),
        arms=tuple(rows),
        verdicts=tuple(verdict_lines(read_summary(folder.summary))),
        figures={title: _encoded(path.read_bytes()) for title, path in pictures.items()},
        cards=_with_ways(read_json(folder.incentives), ways),
        lint=lint,
        deals=tuple(deals),
        searched=searched[0],
        acts=tuple(_act(entry) for entry in entries),
        head=str(entries[-1]["hash"]) if entries else "no ledger",
        drills=tuple(_drills(arms.values())) or (NO_DRILLS,),
        not_examined=tuple(not_examined),
    )


def _drills(arms: Iterable[Arm]) -> Iterator[str]:
    """Every breaker of the arms, and whether it does what it says (`tacit drill`)."""
    for arm in arms:
        for row in drill(arm):
            told = arm.breakers[row.breaker].sentence
            wrong = "; ".join(row.wrong.values())
            held = f"DID NOT HOLD when tried: {wrong}" if wrong else "held when it was tried"
            yield f"{arm.name}, {row.breaker}: {told}. It {held}."


def _lint(arm: Arm) -> tuple[tuple[str, ...], list[str]]:
    """What lint says of an arm, line by line, and the known ways to game it for its card."""
    try:
        report = lint_arm(arm)
    except ConfigError as error:
        lines = [f"not examined: {line}" for line in error.mistakes]
        return tuple(lines), lines
    return tuple(report_lines(report)), known_ways(report)


def _with_ways(cards: Mapping[str, Any], ways: Mapping[str, list[str]]) -> dict[str, Any]:
    """Incentive cards in which lint's findings stand, whether or not it was asked before."""
    return {
        name: {**card, "known_ways_to_game_it": ways[name]} if name in ways else card
        for name, card in cards.items()
    }


def _worst_deals(run: Run, step: Callable[[str, int], None]) -> tuple[list[Deal], list[str]]:
    """The worst deals of all arms, and what was searched: first of which rounds, then what not."""
    found: list[tuple[Arm, Deals]] = []
    left_out: list[str] = []
    for done, arm in enumerate(run.arms.values()):
        step(f"deals of {arm.name}", done)
        for k in range(min(SEEDS, arm.seeds)):  # one by one: copies may be many
            deals = produce(plan_deals(run.folder, arm, [k]), doubt=left_out.append)
            if "harm" in deals:
                found.append((arm, worst(deals, CANDIDATES)))
            elif k == 0:
                left_out.append(f"{arm.name}: this market knows no honest play for every seat")
        if arm.seeds > SEEDS:
            left_out.append(f"{arm.name}: seeds {SEEDS} to {arm.seeds - 1} were not searched")
    told = list(_distinct(run, found))
    seeds = f"the first {SEEDS} seeds" if any(a.seeds > SEEDS for a in run.arms.values()) else "all"
    return told, [f"the last 1,000 rounds of training of {seeds} of every arm", *left_out]


def _distinct(run: Run, found: Sequence[tuple[Arm, Deals]]) -> Iterator[Deal]:
    """The worst deals that differ, the worst first; what is done again and again is told once."""
    every = [
        (deals["harm"].at(row), n, row)
        for n, (_, deals) in enumerate(found)
        for row in range(size(deals))
    ]
    shown: set[tuple[str, str]] = set()
    for harm, n, row in sorted(every, key=lambda entry: -entry[0]):
        arm, deals = found[n]
        what = "; ".join(in_words(arm, deals, row))
        if (arm.name, what) in shown:
            continue
        shown.add((arm.name, what))
        name = list(row_names(deals))[row]
        why: tuple[str, ...] = ()
        if len(shown) <= EXPLAINED and arm.live:
            why = (NOT_EXPLAINED.format(live_reason(arm.live)),)
        elif len(shown) <= EXPLAINED:
            why = tuple(
                why_lines(explain(SeedReplay(run.folder, arm, name.seed, name.branch), name))
            )
        victim = deals["harmed"].at(row) or "nobody"
        yield Deal(f"{arm.name} {name}", f"{harm:.3g}", victim, what, why)
        if len(shown) == WORST:
            return


def _act(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """One line of the ledger."""
    beside = {k: v for k, v in entry.items() if k not in ("n", "time", "act", "previous", "hash")}
    text = "; ".join(f"{key}: {value}" for key, value in beside.items())
    return str(entry.get("n")), str(entry.get("time")), str(entry.get("act")), text


def _machine_text(machine: Mapping[str, Any]) -> str:
    """Processor and versions in a line."""
    versions = machine.get("versions", {})
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine.get('processor', 'unknown processor')}; {listed}"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
