"""A session from the names of a run, an arm, a repetition and a seat."""

from __future__ import annotations

from pathlib import Path

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Seat
from tacit.training.config.arms import Arm
from tacit.training.config.mistakes import MistakeList
from tacit.training.outcome.probing import population_of
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import Run, learned_group, load_run, trained_arm

from .rounds import FrozenRounds, LearningRounds, Rounds
from .session import PlaySession

ROUNDS = 20  # of a session, where nothing says how many


def open_session(
    run: Run | str | Path,
    seat: str,
    arm: str | None = None,
    seed: int = 0,
    rounds: int = ROUNDS,
    learning: bool = False,
    name: str | None = None,
) -> PlaySession:
    """A session that begins where training ended.

    The run's folder is only read, and no draw of training is made again.

    Args:
        run: a finished run, its path, or its name under `results`.
        seat: the person's.
        arm: of the run; None: its only one.
        seed: the number k of the repetition, 0 .. seeds - 1.
        rounds: how many are played at most.
        learning: whether the others go on learning, in memory only; else their policies are frozen,
            without exploration.
        name: of the session, from which the draws follow; None or empty: the run's name.

    Raises:
        ConfigError: an unknown arm, seat or repetition, one that is not finished, a seat that has
            nothing to decide: all mistakes at once.
    """
    found = run if isinstance(run, Run) else load_run(run)
    chosen, own = check_session(found, arm, seat, seed, rounds)
    group = learned_group(found.folder, chosen, seed)
    run_name = found.folder.name
    # Its market and KPI are those with which training ended.
    ended = trained_arm(found.folder, chosen, seed)
    return session_among(group, ended, seed, own, rounds, learning, name or run_name, run_name)


def session_among(
    group: Group,
    arm: Arm,
    k: int,
    seat: Seat,
    rounds: int,
    learning: bool,
    name: str,
    run_name: str,
) -> PlaySession:
    """A session among the agents of a group, as they are now; the group itself is only read.

    Args:
        group: repetition k of the arm.
        arm: its configuration.
        k: the number of the repetition.
        seat: the person's.
        rounds: how many are played at most.
        learning: whether the others go on learning.
        name: of the session.
        run_name: of the run.
    """
    population = population_of(arm, k, group)
    source: Rounds = (
        LearningRounds(arm, k, group, seat.index, name)
        if learning
        else FrozenRounds(population, seat.index, name)
    )
    return PlaySession(name, run_name, arm, k, seat, rounds, learning, population, source)


def check_session(
    run: Run, arm: str | None, seat: str, seed: int = 0, rounds: int = ROUNDS
) -> tuple[Arm, Seat]:
    """The arm and the seat that are meant.

    Raises:
        ConfigError: all mistakes at once.
    """
    mistakes = MistakeList()
    if rounds < 1:
        mistakes.append(f"--rounds: must be at least 1, got {rounds}.")
    chosen = None
    if arm is None and len(run.arms) > 1:
        mistakes.append(f"--arm: is needed; the run has {', '.join(run.arms)}.")
    elif arm is not None and arm not in run.arms:
        mistakes.append(f"--arm: unknown arm '{arm}'. {nearest(arm, run.arms)}")
    else:
        chosen = run.arms[arm if arm is not None else next(iter(run.arms))]
    meant = [chosen] if chosen else list(run.arms.values())
    names = list(dict.fromkeys(s.name for one in meant for s in one.market.seats))
    if seat not in names:
        mistakes.append(f"--seat: unknown '{seat}'. {nearest(seat, names)}")
    most = max(one.seeds for one in meant)
    if not 0 <= seed < most:
        mistakes.append(f"--seed: must be 0 to {most - 1}, got {seed}.")
    own = None
    if chosen and seat in names:
        own = chosen.market.seat(seat)
        if (reason := why_nothing_to_decide(chosen.market, own)) is not None:
            mistakes.append(f"--seat: {reason}")
    if chosen and 0 <= seed < most:
        path = run.folder.checkpoint(chosen.name, seed)
        if checkpoint.read_record(path) is None:
            mistakes.append(
                f"{run.folder.path}: seed {seed} of arm {chosen.name} is not finished; "
                f"{run.folder.resume}"
            )
    mistakes.raise_if_any()
    if chosen is None or own is None:  # (never: each of the two leaves a mistake)
        raise ConfigError("--arm, --seat: are needed.")
    return chosen, own


def why_nothing_to_decide(market: Market, seat: Seat) -> str | None:
    """Why a seat cannot be played; None: it has a choice somewhere."""
    if int(seat.role.legal[:, 1].max()) > 1:
        return None
    others = [s.name for s in market.seats if int(s.role.legal[:, 1].max()) > 1]
    advice = f"Seats that decide: {', '.join(others)}." if others else "No seat decides anything."
    return f"{seat.name} has nothing to decide here. {advice}"
