"""Learners that go on in another repetition of their arm (`redirect: {partners: exchanged}`).

The learner of seat number i in the repetition that stands at place p among those under way goes on
in the one at place p + i, counted round. Market, counters and draws stay where they are. So each
repetition goes on with learners of as many repetitions as it has seats, if the arm has as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.agents.exchange import learner_hash, with_learners
from tacit.agents.group import Group
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.runs.warm_start import first_group
from tacit.training.storage.finite import not_finite
from tacit.training.storage.keyframes import State, file_name, read_keyframes
from tacit.training.storage.run_folder import RunFolder

Trip = Mapping[str, Any]
Partners = dict[str, dict[str, Any]]  # by seat: `seed` and `branch` of the state, `sha256`


def kept_state(run: RunFolder, arm: Arm, k: int, branch: int, rounds: int) -> State:
    """A state of a repetition to which a trip goes back.

    Args:
        run: the run.
        arm: as it was configured.
        k: the repetition.
        branch: which kept it.
        rounds: played there.

    Raises:
        ConfigError: it is missing or holds numbers that are not finite.
    """
    if branch == 0 and rounds == arm.first_round:
        return first_group(run, arm, k).state()
    folder = run.seed(arm.name, k)
    state = read_keyframes(folder, branch).get(rounds)
    if state is None or (wrong := not_finite(state)):
        path = folder / file_name(branch)
        what = "is missing" if state is None else f"holds numbers that are not finite: {wrong}"
        raise ConfigError(f"{path}: the state after {rounds:,} rounds {what}.")
    return state


def partners_of(
    run: RunFolder, arm: Arm, k: int, rounds: int, branches: Mapping[int, int]
) -> Partners:
    """From where the learners of a repetition come, as the ledger holds it.

    Args:
        run: where the states of all repetitions of the arm are.
        arm: as it was configured.
        k: the repetition.
        rounds: of the state to which all go back.
        branches: of each repetition under way, the branch that has kept this state.

    Raises:
        ConfigError: a state is missing.
    """
    group, ring, found = arm.group(k), sorted(branches), Partners()
    for seat, learns in zip(arm.market.seats, arm.learned, strict=True):
        if learns:
            seed = source(ring, k, seat.index)
            state = kept_state(run, arm, seed, branches[seed], rounds)
            digest = learner_hash(group, state, seat.name)
            found[seat.name] = {"seed": seed, "branch": branches[seed], "sha256": digest}
    return found


def source(ring: Sequence[int], k: int, seat: int) -> int:
    """From which repetition the learner of a seat comes.

    Args:
        ring: numbers of the repetitions under way, ascending.
        k: the repetition to which it comes, one of them.
        seat: number of the seat.
    """
    return ring[(list(ring).index(k) - seat) % len(ring)]


def exchanged(run: RunFolder, arm: Arm, group: Group, trip: Trip, state: State) -> State:
    """The state that a trip goes back to, with the learners of other repetitions where it says so.

    Args:
        run: the run.
        arm: as it was configured.
        group: of the arm.
        trip: a rollback.
        state: of the repetition itself.

    Raises:
        ConfigError: a state is missing, or a learner is not the one that the trip names.
    """
    others: dict[str, State] = {}
    for seat, own in trip.get("partners", {}).items():
        others[seat] = kept_state(run, arm, own["seed"], own["branch"], trip["to"])
        if learner_hash(group, others[seat], seat) != own["sha256"]:
            path = run.seed(arm.name, own["seed"]) / file_name(own["branch"])
            raise ConfigError(
                f"{path}: the learner of {seat} after {trip['to']:,} rounds is not the one that "
                "the ledger names."
            )
    return with_learners(group, state, others) if others else state
