"""`tacit sign`: somebody stands behind the objectives of a run, or of a configuration file.

What is signed is a document with the incentive cards (`tacit.oversight.objective`). In a run it
lies in `signatures/`, and the act is in the ledger before the files are written. Beside a
configuration `mine.yaml` it is `mine.yaml.objective.json` and `.sig`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.oversight.anchors import canonical_json
from tacit.oversight.card import NO_OWNER
from tacit.oversight.ledger import Ledger
from tacit.oversight.objective import (
    NOBODY,
    ObjectiveState,
    objective_document,
    objective_state,
    text_mistakes,
)
from tacit.oversight.signatures import OBJECTIVE, check, sign
from tacit.oversight.signers import Signers
from tacit.training.config.arms import Arm, Experiment
from tacit.training.outcome.finishing import write_pages
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_atomically
from tacit.training.storage.cards import first_card, run_cards, write_cards
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing
from tacit.training.storage.seals import Sealer, check_sealed, read_seals
from tacit.training.storage.signature_files import (
    BESIDE,
    ENDING,
    objective_states,
    read_signed,
    record_document,
    today,
)

Record = dict[str, Any]  # a repetition's
Ways = Mapping[str, Sequence[str]]  # known ways to game an objective, by arm


@dataclass(frozen=True)
class Signing:
    """Who stands behind an objective, and why.

    Attributes:
        by: who; a name that verifiers list, if it is signed.
        reason: why, in a line.
        key: the key that signs; None: nothing is signed, somebody is only named.
        owner: who answers for the objective; empty: nobody is named.
        expires: the last day on which it holds, `YYYY-MM-DD`; empty: none.
    """

    by: str
    reason: str
    key: Path | None = None
    owner: str = ""
    expires: str = ""

    def check_words(self) -> None:
        """Check what was typed.

        Raises:
            ConfigError: all that is wrong with it.
        """
        mistakes = text_mistakes(self.by, self.reason, self.owner, self.expires, today())
        if mistakes:
            raise ConfigError(mistakes)


def sign_run(
    run: RunFolder, arms: Sequence[str], signing: Signing, ways: Ways | None = None
) -> dict[str, ObjectiveState]:
    """Sign or name somebody for the objectives of a run.

    Args:
        run: the run.
        arms: which; all if empty.
        signing: who, and why.
        ways: known ways to game the objectives, by arm, which the signed cards hold
            (`tacit.training.record.lint.ways_to_game`); None: those that the cards hold already.

    Returns:
        Who stands behind each of these arms now, by the lists of whoever runs this.

    Raises:
        ConfigError: there is no such arm, the run was altered or is being written, or the key
            cannot sign. Nothing was changed.
    """
    signing.check_words()
    with writing(run):
        whole = read_experiment(run)
        check_sealed(run, {name: arm.seeds for name, arm in whole.arms.items()})
        chosen = choose_arms(whole, arms)
        records = _records(run, chosen)
        cards = run_cards(run, chosen, records, ways)
        text, signature, document = _signed(cards, whole.name, signing)
        ledger = Ledger(run.ledger)
        record_document(run, ledger, text, signature, chosen, document)
        sealer = Sealer(run, ledger, read_seals(run))
        write_cards(run, chosen, records, sealer, ways)
        write_pages(whole, run, sealer)
        sealer.close()
    return objective_states(run, chosen)


def sign_config(
    path: Path,
    experiment: Experiment,
    arms: Sequence[str],
    signing: Signing,
    ways: Ways | None = None,
) -> Path:
    """Sign or name somebody for the objectives of a configuration file; returns the document.

    An earlier document about the file is replaced. `ways`: as `sign_run` takes them.

    Raises:
        ConfigError: there is no such arm, the key cannot sign, or the system refuses.
    """
    signing.check_words()
    chosen = choose_arms(experiment, arms)
    cards = {name: first_card(arm, (ways or {}).get(name, ())) for name, arm in chosen.items()}
    text, signature, _ = _signed(cards, experiment.name, signing)
    target = path.with_name(path.name + BESIDE)
    # Without the old signature first: a new document beside it would be taken for an altered one.
    with suppress(FileNotFoundError):
        _beside(target).unlink()
    write_atomically(target, text)
    if signature:
        write_atomically(_beside(target), signature)
    return target


def config_states(
    path: Path, arms: Mapping[str, Arm], signers: Signers
) -> dict[str, ObjectiveState]:
    """Who stands behind the objectives of a configuration file, by the document beside it.

    Args:
        path: the file.
        arms: its arms.
        signers: whom the verifier knows.

    Raises:
        ConfigError: the document cannot be read.
    """
    document = path.with_name(path.name + BESIDE)
    if not document.exists():
        return dict.fromkeys(arms, NOBODY)
    found = read_signed(document)
    by, checked = str(found.document.get("by", "")), None
    if found.signature is not None:
        checked = check(found.text, found.signature, by, OBJECTIVE, signers)
    named = found.document.get("arms")
    return {
        name: objective_state(
            found.document,
            name,
            kpis.canonical(arm.kpi),
            checked,
            today(),
            signers.allowed is not None,
        )
        if isinstance(named, Mapping) and name in named
        else NOBODY
        for name, arm in arms.items()
    }


def choose_arms(experiment: Experiment, names: Sequence[str]) -> dict[str, Arm]:
    """The arms that a command names; all if it names none.

    Raises:
        ConfigError: there is no such arm.
    """
    known = experiment.arms
    wrong = [f"--arm: unknown arm '{n}'. {nearest(n, known)}" for n in names if n not in known]
    if wrong:
        raise ConfigError(wrong)
    return {name: arm for name, arm in known.items() if not names or name in names}


# --- parts ---------------------------------------------------------------------------------------


def _signed(
    cards: Mapping[str, Mapping[str, Any]], experiment: str, signing: Signing
) -> tuple[bytes, bytes, dict[str, Any]]:
    """The document's bytes, their signature (no bytes if it is not signed), and what they say."""
    owner = signing.owner or NO_OWNER
    # The document itself says who validated, so its cards do not.
    plain = {a: {**card, "validated_by": None, "owner": owner} for a, card in cards.items()}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    document = objective_document(
        plain, experiment, signing.by, signing.reason, date, signing.owner, signing.expires
    )
    text = canonical_json(document)
    signature = sign(text, signing.key, OBJECTIVE) if signing.key else b""
    return text, signature, document


def _records(run: RunFolder, arms: Mapping[str, Arm]) -> dict[str, list[Record]]:
    """The records of all repetitions, of those arms whose repetitions are all finished."""
    found = {
        name: [checkpoint.read_record(run.checkpoint(name, k)) for k in range(arm.seeds)]
        for name, arm in arms.items()
    }
    return {
        name: [record for record in own if record is not None]
        for name, own in found.items()
        if None not in own
    }


def _beside(document: Path) -> Path:
    """Where a document's signature lies."""
    return document.with_name(document.name + ENDING)
