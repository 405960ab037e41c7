"""`signatures/` of a run: documents about objectives, anchors of the ledger, signatures of both.

    signatures/objective-7.json       who stands behind which objectives (oversight/objective.py)
    signatures/objective-7.json.sig   the signature, if it is signed
    signatures/ledger-12.json, .sig   an anchor of the ledger (oversight/anchors.py)

The number is that of the ledger's entry `objective signed` or `objective named`, which holds the
SHA-256 of both files and is recorded before they are written. A document that no entry names counts
for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.oversight.objective import NOBODY, UNVALIDATED, ObjectiveState, objective_state
from tacit.oversight.signatures import OBJECTIVE, SignatureCheck, check, read_signature
from tacit.oversight.signers import Signers, find_signers
from tacit.training.config.arms import Arm

from .atomic_files import parse_json, read_file, write_atomically
from .run_folder import RunFolder

SIGNED, NAMED = "objective signed", "objective named"  # acts
ENDING = ".sig"
BESIDE = ".objective.json"  # follows the name of a configuration file
FOLDER = "signatures"
WORDS = ("by", "reason", "owner", "date", "expires")  # of a document, kept in the ledger as well
MOST_BYTES = 64_000_000  # of a document

Entry = Mapping[str, Any]  # of the ledger


class SignedFile(NamedTuple):
    """A document and its signature, as read.

    Attributes:
        path: the document.
        text: its bytes.
        document: what they stand for.
        signature: None if it is not signed.
    """

    path: Path
    text: bytes
    document: dict[str, Any]
    signature: bytes | None


def read_signed(path: Path) -> SignedFile:
    """A document with the signature beside it, if there is one.

    Raises:
        ConfigError: it is missing, too large or no table.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path}: is too large to be such a document.")
        text = read_file(path)
        document = parse_json(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: is missing.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must hold a table.")
    try:
        signature = read_file(path.with_name(path.name + ENDING))
    except FileNotFoundError:
        signature = None
    return SignedFile(path, text, document, signature)


def today() -> str:
    """The day in UTC, `YYYY-MM-DD`."""
    return datetime.now(UTC).date().isoformat()


# --- objectives ----------------------------------------------------------------------------------


def objective_states(
    run: RunFolder, arms: Mapping[str, Arm], signers: Signers | None = None
) -> dict[str, ObjectiveState]:
    """Who stands behind the objective of every arm, by the last document about it.

    Args:
        run: the run.
        arms: its arms.
        signers: whom the verifier knows; by default `find_signers`.
    """
    acts = last_acts(_entries(run))
    if not set(acts) & set(arms):
        return dict.fromkeys(arms, NOBODY)
    known = signers if signers is not None else find_signers(outside=run.path)
    checked: dict[str, SignatureCheck | None] = {}
    return {
        name: _state(run, arm, acts[name], known, checked) if name in acts else NOBODY
        for name, arm in arms.items()
    }


def last_acts(entries: Sequence[Entry]) -> dict[str, Entry]:
    """By arm, the last act of the ledger that names or signs for its objective."""
    found: dict[str, Entry] = {}
    for entry in entries:
        arms = entry.get("arms")
        if entry.get("act") in (SIGNED, NAMED) and isinstance(arms, Mapping):
            found |= dict.fromkeys(map(str, arms), entry)
    return found


def document_of(run: RunFolder, act: Entry) -> SignedFile:
    """The document that an act of the ledger is about, as it was recorded.

    Raises:
        ConfigError: a file is missing or was altered, or the act names none of the run.
    """
    files = act.get("files")
    names = [str(n) for n in files] if isinstance(files, Mapping) else []
    documents = [name for name in names if name.endswith(".json")]
    if not isinstance(files, Mapping) or len(documents) != 1:
        raise ConfigError(f"{run.ledger}: entry {act.get('n')} names no document.")
    run.inside(*(documents[0] + ENDING).split("/"))  # no link that leads out, either
    found = read_signed(run.inside(*documents[0].split("/")))
    present = {documents[0]: found.text}
    if found.signature is not None:
        present[documents[0] + ENDING] = found.signature
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in present.items()}
    wrong = [name for name in dict.fromkeys([*names, *hashes])
             if hashes.get(name) != files.get(name)]  # fmt: skip
    if wrong:
        raise ConfigError(
            f"{run.path / wrong[0]}: was altered or removed since it was recorded (entry "
            f"{act.get('n')} of the ledger)."
        )
    return found


def _state(
    run: RunFolder,
    arm: Arm,
    act: Entry,
    signers: Signers,
    checked: dict[str, SignatureCheck | None],
) -> ObjectiveState:
    """Who stands behind one arm, by one act; `checked` are signatures that were checked already."""
    try:
        found = document_of(run, act)
    except ConfigError as error:
        line = error.mistakes[0]
        return ObjectiveState(f"{UNVALIDATED} ({line.rstrip('.')})", wrong=line)
    key = str(found.path)
    if key not in checked:
        by = str(found.document.get("by", ""))
        checked[key] = (
            None
            if found.signature is None
            else check(found.text, found.signature, by, OBJECTIVE, signers)
        )
    if act.get("act") == SIGNED and checked[key] is None:
        text = "the act says that it is signed, but there is no signature"
        return ObjectiveState(f"{UNVALIDATED} ({text})", wrong=text)
    terms = kpis.canonical(arm.kpi)
    return objective_state(
        found.document, arm.name, terms, checked[key], today(), signers.allowed is not None
    )


def record_document(
    run: RunFolder,
    ledger: Ledger,
    text: bytes,
    signature: bytes,
    arms: Mapping[str, Arm],
    document: Mapping[str, Any],
) -> None:
    """Record a document about objectives in the ledger, then write it into the run.

    Args:
        run: the run, whose lock is held.
        ledger: its ledger.
        text: the document's bytes.
        signature: of these bytes; none if it is not signed.
        arms: which of the run's arms it is about.
        document: what the bytes stand for.

    Raises:
        ConfigError: the system refuses.
    """
    path = run.inside(FOLDER, f"objective-{ledger.count}.json")
    files = {path: text} | ({path.with_name(path.name + ENDING): signature} if signature else {})
    parts = read_signature(signature)
    ledger.append(
        SIGNED if signature else NAMED,
        arms={name: arm.kpi_hash for name, arm in arms.items()},
        **{key: str(document.get(key, "")) for key in WORDS},
        key=parts[0] if parts else "",
        files={
            file.relative_to(run.path).as_posix(): hashlib.sha256(data).hexdigest()
            for file, data in files.items()
        },
    )
    for file, data in files.items():
        write_atomically(file, data)


def document_beside(config: object) -> Path | None:
    """Where the document about a configuration lies, if it is a file."""
    path = Path(config) if isinstance(config, str | Path) else None
    if path is None or path.suffix not in (".yaml", ".yml"):
        return None
    return path.with_name(path.name + BESIDE)


def take_over(run: RunFolder, ledger: Ledger, path: Path, arms: Mapping[str, Arm]) -> None:
    """Take the document beside a configuration file into a run, for arms of the KPI it is about.

    Args:
        run: the run, whose lock is held.
        ledger: its ledger.
        path: the document; it need not exist.
        arms: the arms that are trained.

    Raises:
        ConfigError: it cannot be read.
    """
    if not path.exists():
        return
    found = read_signed(path)
    cards = found.document.get("arms")
    own = {
        name: arm
        for name, arm in arms.items()
        if isinstance(cards, Mapping)
        and isinstance(card := cards.get(name), Mapping)
        and card.get("kpi_hash") == arm.kpi_hash
    }
    digest = hashlib.sha256(found.text).hexdigest()
    acts = last_acts(ledgers.read(run.ledger) if run.ledger.exists() else [])
    known = {name for name, act in acts.items() if digest in _hashes(act)}
    if set(own) - known:
        record_document(run, ledger, found.text, found.signature or b"", own, found.document)


def _hashes(act: Entry) -> list[Any]:
    """SHA-256 of the files of an act."""
    files = act.get("files")
    return list(files.values()) if isinstance(files, Mapping) else []


def validations(
    run: RunFolder, arms: Mapping[str, Arm], entries: Sequence[Entry]
) -> dict[str, dict[str, str]]:
    """By arm, who is said to have validated its present KPI: what its card holds.

    Nothing is checked here. A card says what was claimed; `objective_states` says what it is worth.
    """
    found = {}
    for name, act in last_acts(entries).items():
        hashes = act["arms"]
        if name in arms and hashes[name] == arms[name].kpi_hash:
            files = act.get("files")
            document = min(map(str, files)) if isinstance(files, Mapping) and files else ""
            found[name] = {
                **{key: str(act.get(key) or "") for key in (*WORDS, "key")},
                "document": document,
            }
    return found


def signed_cards(run: RunFolder, entries: Sequence[Entry]) -> dict[str, Any]:
    """By arm, the incentive card in the last document about its objective that can be read."""
    found: dict[str, Any] = {}
    for name, act in last_acts(entries).items():
        with suppress(ConfigError):
            cards = document_of(run, act).document.get("arms")
            found[name] = cards.get(name) if isinstance(cards, Mapping) else None
    return found


def _entries(run: RunFolder) -> list[dict[str, Any]]:
    """The ledger; empty where there is none that can be read."""
    try:
        return ledgers.read(run.ledger) if run.ledger.exists() else []
    except ConfigError:
        return []
