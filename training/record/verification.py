"""`tacit audit verify`: whether a run is what was trained, signed and sealed.

Without playing anything: the chain of the ledger, the seals, the anchors, the sample's hashes, the
cards, the signatures. With `--replay` repetitions are played again (`played_again.py`). What is not
as it was is named, each on a line; what was only compared, and what nobody signed, is said as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight import signatures
from tacit.oversight.anchors import lost_since
from tacit.oversight.objective import card_mistake, state_lines
from tacit.oversight.signatures import LEDGER, SignatureCheck
from tacit.oversight.signers import Signers
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import is_by_person
from tacit.training.runs.arm_points.on_record import wrong_means
from tacit.training.runs.branches import trips_of
from tacit.training.runs.breakers import TRIPPED
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash, read_json
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import told_holder
from tacit.training.storage.seals import findings, is_unfinished, read_seals
from tacit.training.storage.signature_files import ENDING, objective_states, read_signed

from .persons_acts import changes_on_record
from .played_again import (
    Interval,
    Seed,
    SeedOutcome,
    Told,
    drawn,
    intervals_of,
    play_again,
)
from .sealing import RUN_SEALED

EVERY = -1  # of `replay`: all intervals
Entry = Mapping[str, Any]  # of the ledger


@dataclass
class Verification:
    """What a verification has found.

    Attributes:
        lines: what was looked at, and with what outcome, a line each.
        altered: what is not as it was, a line each.
        acts: how many acts the ledger has.
        signed_acts: how many of them, from the first on, a key that the verifier lists has signed.
    """

    lines: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    acts: int = 0
    signed_acts: int = 0

    @property
    def verdict(self) -> str:
        """The last line: what all of it comes to."""
        count = len(self.altered)
        if count:
            return f"not intact: {count} finding{'s' * (count > 1)}"
        if self.signed_acts:
            later = self.acts - self.signed_acts
            return (
                f"intact; {later} act{'s' * (later > 1)} came after what was signed"
                if later
                else "intact"
            )
        return (
            "intact, but its ledger is not signed by a key that you list: whoever can write the "
            "folder could have made all of it anew"
        )


def verify(
    run: RunFolder,
    signers: Signers,
    replay: int = 0,
    anchor: Path | None = None,
    told: Told = lambda name: None,
) -> Verification:
    """Verify a run; nothing is written.

    Args:
        run: the run.
        signers: whom the verifier knows.
        replay: how many intervals are played again; 0: none, EVERY: all.
        anchor: an anchor that was kept elsewhere, with its signature beside it.
        told: receives the name of each repetition that was played.

    Raises:
        ConfigError: the folder is no run, or `anchor` cannot be read.
    """
    found = Verification()
    entries = _chain(run, found)
    arms = _arms(run, found)
    _seals(run, arms, found)
    _seeds_left(run, arms, found)
    _trips(run, arms, entries, found)
    count, wrong = changes_on_record(run, arms, entries)
    found.altered += wrong
    if count:
        found.lines.append(f"people: {count} changes in the records, looked up in the ledger")
    _anchors(run, entries, signers, anchor, found)
    samples = _samples(run, entries, found)
    _cards(run, arms, found)
    _objectives(run, arms, signers, found)
    if replay and arms:
        _replay(run, arms, entries, samples, replay, told, found)
    # A file that several checks look at is told of once.
    found.altered = list(dict.fromkeys(found.altered))
    return found


# --- without playing -----------------------------------------------------------------------------


def _chain(run: RunFolder, found: Verification) -> list[dict[str, Any]]:
    """The ledger's entries, and whether they are a chain."""
    if not run.ledger.exists():
        found.lines.append("ledger: none; this run was made before ledgers, or lost its own")
        return []
    try:
        entries = ledgers.read(run.ledger)
        broken = ledgers.first_broken(run.ledger)
    except ConfigError as error:
        found.altered += error.mistakes
        return []
    found.acts = len(entries)
    if broken is not None:
        found.altered.append(
            f"{run.ledger}: entry {broken} does not follow from those before it; the file was "
            "altered."
        )
    else:
        found.lines.append(f"ledger: {len(entries)} acts, a whole chain")
    return entries


def _arms(run: RunFolder, found: Verification) -> dict[str, Arm]:
    """The run's arms; none where config.yaml was altered so that it cannot be read.

    Raises:
        ConfigError: the folder is no run.
    """
    try:
        return read_experiment(run).arms
    except ConfigError:
        sealed = read_seals(run).files.get(run.config.name)
        if sealed is None or sealed == file_hash(run.config):
            raise
        found.altered.append(f"{run.config}: was altered since it was sealed, and describes no run")
        return {}


def _seals(run: RunFolder, arms: Mapping[str, Arm], found: Verification) -> None:
    """Whether every file is as it was sealed."""
    try:
        wrong = findings(run, {name: arm.seeds for name, arm in arms.items()})
        unfinished = is_unfinished(run)
        seals = read_seals(run)
    except ConfigError as error:
        found.altered += error.mistakes
        return
    found.altered += [f"{finding.path}: {finding.text}" for finding in wrong]
    if unfinished:
        holder = told_holder(run)
        who = f"{holder} is writing" if holder else "an interrupted command was writing"
        found.lines.append(f"seals: not complete, {who} the results: {run.resume}")
    elif not run.seals.exists():
        found.lines.append("seals: none; this run was made before files were sealed")
    elif not wrong:
        seeds = sum(len(digests) for digests in seals.seeds.values())
        found.lines.append(f"seals: {len(seals.files)} files and {seeds} seeds as they were sealed")


def _seeds_left(run: RunFolder, arms: Mapping[str, Arm], found: Verification) -> None:
    """Which repetitions are not finished, so that nothing of them is verified."""
    left = [
        f"{name}/s{k}"
        for name, arm in arms.items()
        for k in range(arm.seeds)
        if not run.checkpoint(name, k).with_suffix(".json").exists()
    ]
    if left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        found.lines.append(f"not finished, so not verified: {', '.join(left[:5])}{more}")


def _trips(
    run: RunFolder, arms: Mapping[str, Arm], entries: Sequence[Entry], found: Verification
) -> None:
    """Whether every trip of a breaker in the record of a repetition is an act in the ledger."""
    acts = [entry for entry in entries if entry.get("act") == TRIPPED]
    count = 0
    for name, arm in arms.items():
        records = {}
        for k in range(arm.seeds if arm.breakers else 0):
            path = run.checkpoint(name, k)
            if (record := checkpoint.read_record(path)) is not None:
                records[k] = record
            for trip in trips_of(record or {}):
                if is_by_person(trip):
                    continue
                count += 1
                expected = {"arm": name, "seed": k, **trip}
                if not any(all(act.get(k) == v for k, v in expected.items()) for act in acts):
                    found.altered.append(
                        f"{path.with_suffix('.json')}: the ledger has no act for the trip of "
                        f"breaker {trip.get('breaker')} at round {trip.get('round')}"
                    )
        found.altered += [
            f"{run.checkpoint(name, k).with_suffix('.json')}: {line}"
            for k, line in wrong_means(arm, records)
        ]
    if count:
        found.lines.append(f"breakers: {count} trips in the records, looked up in the ledger")


def _anchors(
    run: RunFolder,
    entries: Sequence[Entry],
    signers: Signers,
    kept: Path | None,
    found: Verification,
) -> None:
    """Whether the ledger still holds what its anchors say, and who signed these.

    Raises:
        ConfigError: the anchor that was kept elsewhere cannot be read.
    """
    if kept is not None:
        read_signed(kept)
    paths = [*([kept] if kept is not None else []), *_anchor_paths(run, found)]
    sealings = [entry for entry in entries if entry.get("act") == RUN_SEALED]
    if sealings and _number(sealings[-1]) is not None:
        name = f"ledger-{sealings[-1]['n']}.json"
        if not any(path.name == name and path != kept for path in paths):
            expected = run.path / "signatures" / name
            found.altered.append(f"{expected}: is missing; the ledger says that it was made")
    signed_head = {int(e["n"]) for e in sealings if e.get("signed") and _number(e) is not None}
    for path in paths:
        try:
            document, checked = _anchor(path, signers)
        except ConfigError as error:
            found.altered += error.mistakes
            continue
        lost = lost_since(document, entries)
        found.altered += [f"{path}: {line}" for line in lost]
        count = len(document["acts"]) if isinstance(document.get("acts"), list) else 0
        if checked is None and path.stem in {f"ledger-{n}" for n in signed_head}:
            found.altered.append(f"{path}: its signature is missing; the ledger says it was signed")
        elif checked is None:
            found.lines.append(f"anchor {path.name}: {count} acts, not signed")
        elif _is_accepted(checked, signers):
            found.lines.append(f"anchor {path.name}: {count} acts; its signature {checked.text}")
            if checked.kind == signatures.LISTED and not lost:
                found.signed_acts = max(found.signed_acts, count)
        else:
            found.altered.append(f"{path}: its signature {checked.text}")
    if not paths:
        found.lines.append(f"anchor: none; {run.command('audit seal')} makes one")


def _anchor_paths(run: RunFolder, found: Verification) -> list[Path]:
    """The anchors in a run's folder."""
    paths = []
    for path in sorted(run.path.glob("signatures/ledger-*.json")):
        try:
            run.inside("signatures", path.name + ENDING)
            paths.append(run.inside("signatures", path.name))
        except ConfigError as error:  # a link that leads out of the folder
            found.altered += error.mistakes
    return paths


def _number(entry: Entry) -> int | None:
    """The number of an entry, if it has one."""
    n = entry.get("n")
    return n if isinstance(n, int) and not isinstance(n, bool) and n >= 0 else None


def _anchor(path: Path, signers: Signers) -> tuple[dict[str, Any], SignatureCheck | None]:
    """An anchor, and what its signature is worth.

    Raises:
        ConfigError: it cannot be read.
    """
    file = read_signed(path)
    if file.signature is None:
        return file.document, None
    by = file.document.get("by")
    name = by if isinstance(by, str) else ""
    return file.document, signatures.check(file.text, file.signature, name, LEDGER, signers)


def _is_accepted(checked: SignatureCheck, signers: Signers) -> bool:
    """Whether a signature is no finding: by a listed key, or by one that no list could name.

    One by a key that has expired since is no finding either, but signs nothing any more.
    """
    without_list = checked.kind == signatures.UNLISTED and signers.allowed is None
    fine = (signatures.LISTED, signatures.EXPIRED, signatures.UNCHECKED)
    return without_list or checked.kind in fine


def _samples(run: RunFolder, entries: Sequence[Entry], found: Verification) -> set[str]:
    """Names of the sealed samples; whether they are as they were sealed."""
    sealings = [entry for entry in entries if entry.get("act") == RUN_SEALED]
    samples = sealings[-1].get("samples") if sealings else None
    if not isinstance(samples, Mapping):
        found.lines.append(f"sample: none; {run.command('audit seal')} keeps one")
        return set()
    wrong = []
    for name, digest in samples.items():
        try:
            path = run.inside(*str(name).split("/"))
            if (present := file_hash(path)) != digest:
                what = "is missing" if present is None else "was altered since it was sealed"
                wrong.append(f"{path}: {what}.")
        except ConfigError as error:
            wrong += error.mistakes
    found.altered += wrong
    if not wrong:
        found.lines.append(f"sample: {len(samples)} files as they were sealed")
    return set(map(str, samples))


def _cards(run: RunFolder, arms: Mapping[str, Arm], found: Verification) -> None:
    """Whether every card is about the KPI of its arm, and its hash that of its terms."""
    try:
        cards = read_json(run.incentives)
    except ConfigError as error:
        found.altered += error.mistakes
        return
    for name, arm in arms.items():
        card = cards.get(name)
        if not isinstance(card, Mapping):
            found.altered.append(f"{run.incentives}: holds no card of arm {name}")
        elif wrong := card_mistake(card):
            found.altered.append(f"{run.incentives}: the card of arm {name} {wrong}")
        elif card["kpi_hash"] != arm.kpi_hash:
            found.altered.append(
                f"{run.incentives}: the card of arm {name} is about another KPI than config.yaml"
            )


def _objectives(
    run: RunFolder, arms: Mapping[str, Arm], signers: Signers, found: Verification
) -> None:
    """Who stands behind the objectives."""
    states = objective_states(run, arms, signers)
    lines = state_lines({name: state.text for name, state in states.items()})
    found.lines += [f"objective: {line}" for line in lines]
    found.altered += [
        f"objective of arm {name}: {state.wrong}" for name, state in states.items() if state.wrong
    ]


# --- playing -------------------------------------------------------------------------------------


def _replay(
    run: RunFolder,
    arms: Mapping[str, Arm],
    entries: Sequence[Entry],
    samples: set[str],
    count: int,
    told: Told,
    found: Verification,
) -> None:
    """Play intervals and samples again, and say what that has shown."""
    intervals, wrong = intervals_of(run, arms)
    found.altered += wrong
    head = str(entries[-1].get("hash", "")) if entries else ""
    chosen = intervals if count == EVERY else drawn(intervals, count, head)
    outcomes = play_again(run, arms, chosen, _seeds(chosen, samples), told)
    same = {s: o for s, o in outcomes.items() if not (o.machine and o.altered)}
    other = {s: o for s, o in outcomes.items() if s not in same}
    found.altered += [line for outcome in same.values() for line in outcome.altered]
    played = sum(outcome.intervals for outcome in same.values())
    rounds = sum(outcome.rounds for outcome in same.values())
    found.lines.append(
        f"played again: {played:,} of {len(intervals):,} intervals, {rounds:,} rounds a copy, of "
        f"{len(same)} seeds; {sum(o.sample for o in same.values())} samples compared row by row"
    )
    found.lines += _other_machines(other)


def _seeds(intervals: Sequence[Interval], samples: set[str]) -> list[Seed]:
    """Those repetitions of some intervals that have a sealed sample."""
    seeds = dict.fromkeys((interval.arm, interval.k) for interval in intervals)
    folders = {name.rpartition("/")[0] for name in samples}
    return [(arm, k) for arm, k in seeds if f"{arm}/s{k}" in folders]


def _other_machines(outcomes: Mapping[Seed, SeedOutcome]) -> list[str]:
    """What could only be compared, because it was trained elsewhere, a line each reason."""
    seeds: dict[str, list[str]] = {}
    for (arm, k), outcome in outcomes.items():
        seeds.setdefault(outcome.machine, []).append(f"{arm}/s{k}")
    return [
        f"only compared with seals, not played again: {', '.join(names)}: trained on another type "
        f"of machine ({reason}), where bits differ"
        for reason, names in seeds.items()
    ]
