"""Policies as files: a table `[O, A]` in a safetensors file, with a card that says whose it is.

    card = card_of(market, "bidder_0", table, origin={"run": "charged", "arm": "base", "seed": 0})
    write_policy(Path("policy.safetensors"), table, card)
    table, card = read_policy("policy.safetensors")
    check_fits(card, market, "bidder_1", "policy.safetensors")

The card is text in the file's metadata, so the two cannot be parted. Nothing in a file is executed.
A file is meant for one *form* of seat: what it sees and does, with every value. Costs or rules of
payment may differ between the market of the file and the one that is played, for a policy is a
function of what its seat sees; `config_hash` tells whether they do.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tacit.agents.policy import PolicyTable, table_hash
from tacit.envs import kpi as kpis
from tacit.envs.engine.policy_tables import SUM_TOLERANCE, mask
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Part, Role

FORM = "tacit policy 1"
TENSOR, CARD = "policy", "tacit_card"  # the names of the array and of the card in a file
MOST_BYTES = 2**30  # of a file that is read
MOST_CARD = 2**20  # characters of a card
LENGTH = 8  # bytes at the start of a safetensors file: how long its header is


class PartSize(NamedTuple):
    """A part of an observation or an action, as a card holds it.

    Attributes:
        name: of the part.
        size: how many values it has.
        first: the first of them, as text.
        last: the last of them, as text.
    """

    name: str
    size: int
    first: str
    last: str

    def __str__(self) -> str:
        return f"{self.name} ({self.size}: {self.first} .. {self.last})"


@dataclass(frozen=True)
class PolicyCard:
    """What a policy file says of its table.

    Attributes:
        market: the market's name.
        market_hash: SHA-256 of the market's name and version, its phases, and all that the seat
            sees and does, value by value. A table fits a seat if and only if this is equal.
        config_hash: SHA-256 of the market's whole config, with costs and rules.
        kpi_hash: SHA-256 of the KPI table that it was made under; empty: it was made under none.
        seat: whose policy it is, such as `bidder_0`.
        observation: the parts of an observation, in order; the first is the phase.
        action: the parts of all actions, in order.
        table_hash: SHA-256 of the table (`tacit.agents.policy.table_hash`).
        origin: where it came from, plain JSON values: a run with arm and seed, a bot, a script.
        market_config: the keys of the market's config, plain JSON values.
    """

    market: str
    market_hash: str
    config_hash: str
    kpi_hash: str
    seat: str
    observation: tuple[PartSize, ...]
    action: tuple[PartSize, ...]
    table_hash: str
    origin: Mapping[str, Any] = field(default_factory=dict)
    market_config: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The card as plain JSON values."""
        return {"form": FORM, **{f.name: getattr(self, f.name) for f in fields(self)}}


# --- making --------------------------------------------------------------------------------------


def card_of(
    market: Market,
    seat: str,
    table: PolicyTable,
    kpi: kpis.KpiTable | None = None,
    origin: Mapping[str, Any] | None = None,
) -> PolicyCard:
    """The card of a seat's policy.

    Args:
        market: the market.
        seat: the seat's name.
        table: its policy, float64 `[O, A]`.
        kpi: the resolved KPI that it was made under; None: none.
        origin: where it came from, plain JSON values.

    Raises:
        KeyError: no such seat.
    """
    role = market.seat(seat).role
    config = market.config.model_dump(mode="json")
    return PolicyCard(
        market=market.name,
        market_hash=market_hash(market, role),
        config_hash=_hash({"market": market.name, "config": config}),
        kpi_hash="" if kpi is None else kpis.kpi_hash(kpi),
        seat=seat,
        observation=tuple(map(_part_size, role.observation_parts)),
        action=tuple(_part_size(part) for parts in role.choices for part in parts),
        table_hash=table_hash(table),
        origin=dict(origin or {}),
        market_config=config,
    )


def market_hash(market: Market, role: Role) -> str:
    """SHA-256 of a market's name, version and phases, and of all that a role sees and does."""
    blocks = [
        {
            "phase": block.phase,
            "sees": [_values(part) for part in block.sees],
            "does": [_values(part) for part in block.does],
            "given": [[part.name, str(value)] for part, value in block.given],
        }
        for block in role.blocks
    ]
    about = {"name": market.name, "version": market.version, "phases": list(market.phases)}
    return _hash({**about, "role": role.name, "blocks": blocks})


def _values(part: Part) -> list[Any]:
    return [part.name, [str(value) for value in part.values]]


def _part_size(part: Part) -> PartSize:
    return PartSize(part.name, len(part.values), _short(part.values[0]), _short(part.values[-1]))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# --- writing -------------------------------------------------------------------------------------


def write_policy(path: str | Path, table: PolicyTable, card: PolicyCard) -> None:
    """Write a policy file; the path holds either its old contents or the new, never a part.

    Args:
        path: where; its folder exists.
        table: the policy, float64 `[O, A]`.
        card: of this very table.

    Raises:
        ConfigError: the table is not the card's, or rows are no probabilities.
        OSError: the system refuses.
    """
    path = Path(path)
    table = np.ascontiguousarray(table, np.float64)
    mistakes = [*_table_mistakes(table)]
    if table_hash(table) != card.table_hash:
        mistakes.append("the card is of another table.")
    if mistakes:
        raise ConfigError([f"{path}: {line}" for line in mistakes])
    text = json.dumps(card.plain(), sort_keys=True, allow_nan=False)
    data = save_tensors({TENSOR: table}, metadata={CARD: text})
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # `mkstemp` lets only its owner read it
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask_of_process = os.umask(0o077)
    os.umask(mask_of_process)
    return mask_of_process


# --- reading -------------------------------------------------------------------------------------


def read_policy(path: str | Path) -> tuple[PolicyTable, PolicyCard]:
    """The table float64 `[O, A]` of a policy file, and its card.

    Raises:
        ConfigError: there is no such file, it is damaged or no policy file, its rows are no
            probabilities, or the table is not the one that the card describes.
    """
    path = Path(path)
    data = _read(path)
    card = _card(_header(data, path), path)
    try:
        arrays = load_tensors(data)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"{path}: is damaged: {error}.") from None
    if set(arrays) != {TENSOR}:
        raise ConfigError(f"{path}: must hold one array, '{TENSOR}', got {sorted(arrays)}.")
    table = arrays[TENSOR]
    if table.ndim != 2 or table.dtype != np.float64:
        raise ConfigError(
            f"{path}: the table must be float64 [O, A], got {table.dtype} {list(table.shape)}."
        )
    mistakes = [*_table_mistakes(table)]
    if not mistakes and table_hash(table) != card.table_hash:
        mistakes = ["its table is not the one that its card describes; it was altered."]
    if mistakes:
        raise ConfigError([f"{path}: {line}" for line in mistakes])
    return table, card


def _read(path: Path) -> bytes:
    """The contents of an ordinary file.

    Raises:
        ConfigError: there is none, or it is too large.
    """
    try:
        # Non-blocking: opening a pipe would wait for somebody who writes.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise ConfigError(f"{path}: is no ordinary file.")
            if about.st_size > MOST_BYTES:
                raise ConfigError(f"{path}: has {about.st_size:,} bytes, more than {MOST_BYTES:,}.")
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        told = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {told}.") from None


def _header(data: bytes, path: Path) -> dict[str, str]:
    """The metadata of a safetensors file: safetensors' own function for bytes leaves them out.

    Raises:
        ConfigError: it has none.
    """
    length = int.from_bytes(data[:LENGTH], "little")
    try:
        header: Any = json.loads(data[LENGTH : LENGTH + length]) if length < len(data) else None
        found = header["__metadata__"]
        return {str(name): str(text) for name, text in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigError(f"{path}: is no policy file, or was cut: it has no card.") from None


def _card(metadata: Mapping[str, str], path: Path) -> PolicyCard:
    """The card in a file's metadata.

    Raises:
        ConfigError: there is none, or it is not as `write_policy` writes it.
    """
    text = metadata.get(CARD, "")
    try:
        plain: Any = json.loads(text) if len(text) <= MOST_CARD else None
        if plain["form"] != FORM:
            raise ConfigError(f"{path}: its card is of form {plain['form']!r}, not '{FORM}'.")
        words = {name: plain[name] for name in WORDS}
        if not all(isinstance(value, str) for value in words.values()):
            raise TypeError
        more: dict[str, Any] = {
            name: tuple(PartSize(str(n), int(k), str(a), str(b)) for n, k, a, b in plain[name])
            for name in ("observation", "action")
        }
        more |= {name: dict(plain[name]) for name in ("origin", "market_config")}
        return PolicyCard(**words, **more)
    except ConfigError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ConfigError(f"{path}: is no policy file: its card cannot be read.") from None


WORDS = ("market", "market_hash", "config_hash", "kpi_hash", "seat", "table_hash")


def _table_mistakes(table: PolicyTable) -> Iterator[str]:
    """What is wrong with the rows of a table `[O, A]`, the first of each kind."""
    if table.ndim != 2 or not table.size:
        yield f"the table must be of shape [O, A], got {list(table.shape)}."
        return
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        yield f"row {int(np.argmin(finite))} holds NaN or infinity."
    negative = (table < 0).any(axis=1)
    if negative.any():
        yield f"row {int(np.argmax(negative))} holds a negative probability."
    wrong = finite & ~negative & (np.abs(table.sum(axis=1) - 1.0) > SUM_TOLERANCE)
    if wrong.any():
        row = int(np.argmax(wrong))
        yield f"row {row} sums to {float(table[row].sum()):.9g}, not to 1."


# --- fitting -------------------------------------------------------------------------------------


def check_fits(
    card: PolicyCard, table: PolicyTable, market: Market, seat: str, where: str | Path
) -> None:
    """Whether the policy of a file can play a seat of a market.

    Args:
        card: of the file.
        table: its table, float64 `[O, A]`.
        market: that is to be played.
        seat: the seat that the policy shall take.
        where: the file, for the message.

    Raises:
        ConfigError: it cannot; every difference is named.
    """
    names = [s.name for s in market.seats]
    if seat not in names:
        raise ConfigError(f"{where}: {market.name} has no seat '{seat}'. {nearest(seat, names)}")
    role = market.seat(seat).role
    if mistakes := [*_differences(card, market, role, seat)]:
        raise ConfigError([f"{where}: {line}" for line in mistakes])
    shape = (role.observations, role.actions)
    if table.shape != shape:
        raise ConfigError(f"{where}: has a table {list(table.shape)}; {seat} needs {list(shape)}.")
    outside = (table > 0) & ~mask(role)
    if outside.any():
        o, a = (int(k) for k in np.argwhere(outside)[0])
        raise ConfigError(f"{where}: row {o} gives action {a} a probability, illegal there.")


def _differences(card: PolicyCard, market: Market, role: Role, seat: str) -> Iterator[str]:
    """In what the seat of a card differs from a seat here."""
    if card.market != market.name:
        yield f"is a policy for the market {card.market}, not for {market.name}."
        return
    if card.market_hash == market_hash(market, role):
        return
    here = {
        "sees": tuple(map(_part_size, role.observation_parts)),
        "does": tuple(_part_size(part) for parts in role.choices for part in parts),
    }
    count = 0
    for verb, own in (("sees", card.observation), ("does", card.action)):
        known, found = dict.fromkeys(here[verb]), dict.fromkeys(own)
        lacking = [str(part) for part in found if part not in known]
        new = [str(part) for part in known if part not in found]
        if lacking or new:
            count += 1
            yield (
                f"{card.seat} of the file {verb} {', '.join(lacking) or 'nothing more'}; "
                f"{seat} here {verb} {', '.join(new) or 'nothing of this'}."
            )
    if not count:
        yield (
            f"the parts of {card.seat} in the file are those of {seat} here, but their values "
            "between the first and the last, the phases or the market's version differ."
        )
