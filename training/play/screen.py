"""What a front end shows: the person's view, events, and what is told before the first round.

Data and texts, nothing that prints. They come from the observation of the person's own seat, its
KPI and its reward.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit.envs.market import Block, Part, Role
from tacit.training.show.policy_table_text import part_name

from .wording import Choice, value_text


@dataclass(frozen=True)
class SeenValue:
    """One part of what a seat observes.

    Attributes:
        name: as the market calls it, in words.
        value: its value, as text.
        meaning: one line.
    """

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class PersonView:
    """What the person sees when it decides.

    Attributes:
        round: from 1.
        phase: the name of the phase.
        seen: the parts of the seat's observation.
        parts: the parts of its actions, with all their values.
        choices: its legal actions.
    """

    round: int
    phase: str
    seen: tuple[SeenValue, ...]
    parts: tuple[Part, ...]
    choices: tuple[Choice, ...]

    @property
    def text(self) -> str:
        """The observation on one line: `lead 2, stock plenty`."""
        return ", ".join(f"{part.name} {part.value}" for part in self.seen)


@dataclass(frozen=True)
class NothingToDecide:
    """A phase in which the seat sees something and has one legal action.

    Attributes:
        round: from 1.
        phase: the name of the phase.
        seen: the parts of the seat's observation.
        action: the name of the only action.
    """

    round: int
    phase: str
    seen: tuple[SeenValue, ...]
    action: str


@dataclass(frozen=True)
class RoundEnded:
    """A round is over.

    Attributes:
        round: from 1.
        reward: what the seat's KPI paid in it.
        total: what it paid in all rounds so far.
    """

    round: int
    reward: float
    total: float


@dataclass(frozen=True)
class SessionEnded:
    """Nothing is left to decide.

    Attributes:
        rounds: finished rounds.
    """

    rounds: int


Event = NothingToDecide | RoundEnded | SessionEnded


@dataclass(frozen=True)
class KpiLine:
    """A measure in the seat's KPI.

    Attributes:
        name: as the market calls it.
        unit: as the market declares it.
        meaning: one line.
    """

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Brief:
    """What the person is told before the first round.

    Attributes:
        session: its name, from which the draws follow.
        run: whose agents are met.
        arm: of the run.
        seed: the number k of the repetition.
        market: what the market is, in a line.
        seat: the person's.
        paid: the seat's KPI in words.
        measures: the measures in it.
        rounds: how many are played.
        learning: whether the others go on learning.
    """

    session: str
    run: str
    arm: str
    seed: int
    market: str
    seat: str
    paid: str
    measures: tuple[KpiLine, ...]
    rounds: int
    learning: bool


def seen_parts(role: Role, observation: int) -> tuple[SeenValue, ...]:
    """The parts of an observation, in words."""
    values = role.decode_observation(observation)
    return tuple(
        SeenValue(part_name(part.name), value_text(part, values[part.name]), part.meaning)
        for part in shown_parts(block_of(role, observation))
    )


def shown_parts(block: Block) -> tuple[Part, ...]:
    """What a block shows: parts with one value in it, then those that differ."""
    return (*(part for part, _ in block.given), *block.sees)


def block_of(role: Role, observation: int) -> Block:
    """The block that an observation belongs to.

    Raises:
        ValueError: the role has no such observation.
    """
    for k, block in enumerate(role.blocks):
        if observation < role.block_start(k) + block.size:
            return block
    raise ValueError(f"a {role.name} has no observation {observation}")
