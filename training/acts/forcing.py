"""Acts that replace the action that a seat chooses by another one: override and veto.

The next round is played with the forced action, and everybody learns from what was really played:
the seat from its forced action, its rivals from what that brought them. Every draw is the one that
would have been made, and nothing else is changed.

An action is *ordered* when the act is recorded, *pending* until its round is played, and *forced*
in that round. Letters in shapes are those of `tacit.agents.tabular.recording`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tacit.agents.group import Group
from tacit.agents.tabular.recording import Recording, build_recording
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Seat
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import PERSON

from .forks import Standing, check_branch
from .protocol import FORCES, ActRequest
from .schedule import Change


class ForcedAction(NamedTuple):
    """One action that was ordered, all by index.

    Attributes:
        branch: number of the branch whose round it is.
        round: the round that is played with it, counted from 0 since training began.
        copy: the copy of the market in which it is played.
        phase: the phase in which the seat decides.
        seat: the seat whose action it is.
        action: the action that it plays.
    """

    branch: int
    round: int
    copy: int
    phase: int
    seat: int
    action: int


def forced_action(change: Change) -> ForcedAction:
    """The action that a change of the ledger orders.

    Raises:
        ConfigError: it orders none.
    """
    try:
        values = [change[name] for name in ForcedAction._fields]
    except KeyError as error:
        raise ConfigError(f"act {change.get('act')}: has no {error}.") from None
    if any(type(value) is not int or value < 0 for value in values):
        raise ConfigError(f"act {change.get('act')}: orders no action.")
    return ForcedAction(*values)


def play_forced(group: Group, arm: Arm, forced: Sequence[ForcedAction]) -> Recording:
    """Play one round of all copies, in which some actions are forced.

    Which actions are legal depends on what a seat sees. So the round is first tried without them,
    and the group is put back.

    Args:
        group: in the state before the round; it learns from what is played.
        arm: with the market and the KPI in force.
        forced: actions of that round.

    Returns:
        A recording of the one round (R = 1).

    Raises:
        ConfigError: an action that is not legal there; then the group is as it was.
    """
    check_forced(group, arm, forced)
    return _play(group, arm, forced)


def check_forced(group: Group, arm: Arm, forced: Sequence[ForcedAction]) -> None:
    """Check that actions are legal in the round that a group plays next.

    Args:
        group: in the state before the round; the round is tried on it, and it is put back.
        arm: with the market and the KPI in force.
        forced: actions of that round.

    Raises:
        ConfigError: one is not legal, or actions of two phases are forced in one copy.
    """
    as_it_would_be = _tried(group, arm, [])
    for one in forced:
        _check_legal(as_it_would_be, arm, one)
    # More pairs of copy and phase than copies: some copy has two phases.
    if len({(one.copy, one.phase) for one in forced}) > len({one.copy for one in forced}):
        raise ConfigError(
            "action: in one copy, actions of one phase alone can be ordered for a round, for what "
            "is legal in a later phase depends on the earlier one."
        )


def put_forced(recording: Recording, forced: Sequence[ForcedAction], row: int) -> None:
    """Enter forced actions into a recording, whose rounds are then played with them.

    Args:
        recording: not played yet.
        forced: actions of one round, which are legal there.
        row: which of the recording's R rounds that is.
    """
    for one in forced:
        recording.forced[row, one.copy, one.phase, one.seat] = one.action


def forced_in(record: Mapping[str, Any]) -> list[ForcedAction]:
    """The forced actions in the record of a finished repetition.

    Raises:
        ConfigError: they cannot be read: a record is a file, and may hold anything.
    """
    found = record.get("forced", [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ConfigError("seed: its record does not say which actions were forced.")
    return [forced_action(change) for change in found]


def _play(group: Group, arm: Arm, forced: Sequence[ForcedAction]) -> Recording:
    """`play_forced`, for actions that are known to be legal."""
    recording = build_recording(build_game(arm.market, arm.kpi), group.rows, 1)
    put_forced(recording, forced, 0)
    group.run(1, recording)
    return recording


def _tried(group: Group, arm: Arm, forced: Sequence[ForcedAction]) -> Recording:
    """A recording of the next round as it would be played with some actions forced.

    The group is put back: `state` and `figures` are all that a round changes.
    """
    before, figures = group.state(), dict(group.figures)
    try:
        return play_forced(group, arm, forced) if forced else _play(group, arm, [])
    finally:
        group.load(before)
        group.figures.clear()
        group.figures.update(figures)


def _check_legal(recording: Recording, arm: Arm, one: ForcedAction) -> None:
    """Check that an action is legal at the observation that its seat has in a recorded round.

    Raises:
        ConfigError: it is not, or the seat does not decide there.
    """
    _, copies, phases, seats = recording.forced.shape
    if one.copy < copies and one.phase < phases and one.seat < seats:
        o = int(recording.observations[0, one.copy, one.phase, one.seat])
        if o >= 0 and _is_legal(arm.market.seats[one.seat], o, one.action):
            return
    raise ConfigError(f"action: {tuple(one)} cannot be ordered: no such action is legal there.")


def force(
    request: ActRequest, standing: Standing, pending: Sequence[ForcedAction], group: Group
) -> tuple[dict[str, Any], list[str]]:
    """The change as which an override or a veto would be recorded, with every mistake looked for.

    Args:
        request: the override or veto.
        standing: of the repetition.
        pending: actions that are ordered already for its next round.
        group: in its present state; the round is tried on it, and it is put back.

    Returns:
        The change; and two lines of text, the deal as it would be and the deal as ordered.

    Raises:
        ConfigError: an unknown seat, copy or action, an action that is not legal there, or a veto
            where the seat has no action without a deal.
    """
    check_branch(request, standing)
    arm = standing.arm
    seat = _seat(request, arm)
    if request.in_copy >= arm.train.copies:
        last = arm.train.copies - 1
        raise ConfigError(f"copy: arm {arm.name} has copies 0 to {last}, got {request.in_copy}.")
    # A veto names no action: any that does without a deal will do.
    wanted = _no_deal(seat, arm) if request.act == "veto" else [_action(request.action, seat)]
    as_it_was = _tried(group, arm, pending)
    seen = as_it_was.observations[0, request.in_copy, :, seat.index]
    # Phases in which the seat decides, with what it sees: there it has two legal actions or more.
    decided = [(p, int(o)) for p, o in enumerate(seen) if o >= 0 and seat.role.legal[o, 1] > 1]
    found = [(p, a) for p, o in decided for a in wanted if _is_legal(seat, o, a)]
    if not found:
        raise ConfigError(_not_legal(request, standing, seat, decided))
    phase, action = found[0]  # the first phase in which one of them is legal
    one = ForcedAction(standing.branch, standing.rounds, request.in_copy, phase, seat.index, action)
    tried = _tried(group, arm, [*without(pending, one), one])
    chosen = int(as_it_was.actions[0, one.copy, phase, seat.index])
    change = {
        PERSON: request.by,
        "act": request.id,
        "what": request.act,
        **one._asdict(),
        "seat_name": seat.name,
        "did": seat.role.decode_action(action),
        "instead_of": seat.role.decode_action(chosen),
    }
    both = (("as it would be", as_it_was), ("as ordered", tried))
    return change, [f"{label}: {'; '.join(_deal(arm, r, one.copy))}" for label, r in both]


def without(pending: Sequence[ForcedAction], one: ForcedAction) -> list[ForcedAction]:
    """The pending actions, less one of the same decision, which `one` replaces."""
    return [p for p in pending if (p.copy, p.phase, p.seat) != (one.copy, one.phase, one.seat)]


def is_force(change: Change) -> bool:
    """Whether a change orders an action; if not, it begins a branch."""
    return change.get("what") in FORCES


# --- which action ---------------------------------------------------------------------------------


def _seat(request: ActRequest, arm: Arm) -> Seat:
    for seat in arm.market.seats:
        if seat.name == request.seat:
            return seat
    names = [seat.name for seat in arm.market.seats]
    raise ConfigError(f"seat: unknown '{request.seat}'. {nearest(request.seat, names)}")


def _action(text: str, seat: Seat) -> int:
    """The index of an action that is given as `price 0.4, claim scarce`."""
    pieces = [_part(piece) for piece in text.split(",")]
    words = dict(pieces)
    if len(words) < len(pieces):
        raise ConfigError(f"action: names a part twice: '{text}'.")
    known = {part.name: part for parts in seat.role.choices for part in parts}
    if wrong := [name for name in words if name not in known]:
        raise ConfigError(
            [
                f"action: unknown part '{name}' of {seat.name}. {nearest(name, known)}"
                for name in wrong
            ]
        )
    try:
        values = {name: _value(word, known[name].values) for name, word in words.items()}
        return seat.role.encode_action(**values)
    except ValueError as error:
        raise ConfigError(f"action: {error}.") from None


def _part(piece: str) -> tuple[str, str]:
    """Name and value of `price 0.4`."""
    name, _, value = piece.strip().partition(" ")
    return name, value.strip()


def _value(word: str, values: Sequence[Any]) -> Any:
    """The value of a part that is written like a word; else the word as a number, or itself.

    `encode_action` takes a number that means a value, and refuses the rest.
    """
    for value in values:
        if str(value) == word:
            return value
    try:
        return float(word)
    except ValueError:
        return word


def _no_deal(seat: Seat, arm: Arm) -> list[int]:
    """The actions by which a seat does without a deal, as the market declares them.

    Raises:
        ConfigError: it declares none for this role.
    """
    declared = arm.market.no_deal.get(seat.role.name, ())
    names = [{part.name for part in parts} for parts in seat.role.choices]
    found = [seat.role.encode_action(**own) for own in declared if set(own) in names]
    if not found:
        raise ConfigError(
            f"veto: in {arm.market.name} a {seat.role.name} has no action without a deal; override "
            "it by another action."
        )
    return found


def _is_legal(seat: Seat, observation: int, action: int) -> bool:
    """Whether an action is legal at an observation (`Role.legal`: the first, and how many)."""
    first, count = (int(x) for x in seat.role.legal[observation])
    return first <= action < first + count


def _not_legal(
    request: ActRequest, standing: Standing, seat: Seat, decided: Sequence[tuple[int, int]]
) -> str:
    """Why an action is not legal in a round."""
    where = f"round {standing.rounds:,}, copy {request.in_copy}"
    if not decided:
        return f"action: {seat.name} has nothing to decide in {where}."
    parts = [" and ".join(seat.role.decode_action(int(seat.role.legal[o, 0]))) for _, o in decided]
    return (
        f"action: {request.action or 'a veto'} is not legal for {seat.name} in {where}; it decides "
        f"on {', then on '.join(parts)}."
    )


def _deal(arm: Arm, recording: Recording, copy: int) -> list[str]:
    """The recorded round in the market's words, a line for each act."""
    # NOTHING (-1) where a seat does not decide; `transcript` takes indices, 0 or more.
    actions = np.maximum(recording.actions[0, copy], 0).astype(np.int64)
    return arm.market.transcript(actions, recording.measures[0, copy])


def forced_text(change: Mapping[str, Any]) -> str:
    """An action that was ordered, in words."""
    did = ", ".join(f"{name} {value}" for name, value in change["did"].items())
    was = ", ".join(f"{name} {value}" for name, value in change["instead_of"].items())
    return (
        f"{change['what']} by {change[PERSON]}: {change['seat_name']} does {did} instead of {was} "
        f"in round {change['round']:,} of branch {change['branch']}, copy {change['copy']}"
    )
