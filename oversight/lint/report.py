"""What lint says of an arm, as plain containers; `text.py` puts them into sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

HIGH, MEDIUM, NOTE = "high", "medium", "note"
SEVERITIES = (HIGH, MEDIUM, NOTE)  # the gravest first


@dataclass(frozen=True)
class Harm:
    """A loss in one measure against the same game under the fundamentals alone.

    Attributes:
        measure: its name.
        unit: its unit.
        fundamentals: lowest and highest value of stable play under the fundamentals.
        kpi: the same under the KPIs.
        transfer: whether what is lost is only moved to seats of another role.
        amount: lowest under the fundamentals less lowest under the KPIs, in the unit.
        share: `amount` as a share of the lowest value under the fundamentals; None where that is 0
            or less.
    """

    measure: str
    unit: str
    fundamentals: tuple[float, float]
    kpi: tuple[float, float]
    transfer: bool
    amount: float
    share: float | None


@dataclass(frozen=True)
class Repair:
    """The smallest change of one weight that removes a finding.

    Attributes:
        owner: the role or seats whose table is changed.
        term: the name of the term.
        weight: as it is; 0 for a term that is missing.
        to: the weight nearest to it at which the finding is gone.
        within: by how much `to` may be off.
        missing: whether the table lacks the term.
    """

    owner: str
    term: str
    weight: float
    to: float
    within: float
    missing: bool


@dataclass(frozen=True)
class Loser:
    """Who loses by an action that is free to the one who takes it.

    Attributes:
        owner: the seat.
        measure: its fundamental.
        unit: of the fundamental.
        loss: its mean loss a round, in the unit.
        share: of its mean fundamental in the sampled rounds; None where that is 0 or less.
        counted: whether a KPI of a seat that learns counts the loss.
    """

    owner: str
    measure: str
    unit: str
    loss: float
    share: float | None
    counted: bool


@dataclass(frozen=True)
class FreeAction:
    """A part of an action whose choice never costs its seat anything in its KPI.

    Attributes:
        seat: who acts.
        part: the name of the action part.
        value: the value that is changed, as text.
        to: the value that costs nothing in its stead, as text.
        where: what the seat sees when it is so, as text; empty: whatever it sees.
        gain: the mean gain in the seat's own KPI.
        rounds: how many sampled rounds were compared.
        losers: who loses by it.
        reported: measures of which less is better, and which it raises; no KPI prices them.
    """

    seat: str
    part: str
    value: str
    to: str
    where: str
    gain: float
    rounds: int
    losers: tuple[Loser, ...]
    reported: tuple[str, ...]


@dataclass(frozen=True)
class LintFinding:
    """Something that a KPI asks for and its owner may not want.

    Attributes:
        kind: `stable play` or `free action`.
        severity: one of SEVERITIES.
        mechanism: why it happens, in words, from measured facts.
        harms: what it costs, the largest share first.
        free: the free action, of that kind only.
        repair: the smallest change of one weight that removes it; None: none was found.
    """

    kind: str
    severity: str
    mechanism: str
    harms: tuple[Harm, ...] = ()
    free: FreeAction | None = None
    repair: Repair | None = None


@dataclass(frozen=True)
class StableRange:
    """Stable play under the KPIs beside that under the fundamentals.

    Attributes:
        method: how it was found.
        measure: the market's headline.
        unit: its unit.
        kpi: its lowest and highest value in stable play under the KPIs.
        fundamentals: the same under the fundamentals.
        kpi_count: how many stable profiles (or starts) there are under the KPIs.
        fundamentals_count: the same under the fundamentals.
    """

    method: str
    measure: str
    unit: str
    kpi: tuple[float, float]
    fundamentals: tuple[float, float]
    kpi_count: int
    fundamentals_count: int


@dataclass(frozen=True)
class Patience:
    """What one-round best replies leave on the table, the others repeating what they do.

    Attributes:
        words: `best reply round by round` or `patient best reply`.
        gain: the largest gain per round of a patient plan over all stable profiles, in KPI payoff.
        discount: of the learner that gains it.
        stable: how many stable profiles a patient seat would keep.
        of: how many stable profiles there are.
        range: lowest and highest headline of those that a patient seat keeps; None: of none.
    """

    words: str
    gain: float
    discount: float
    stable: int
    of: int
    range: tuple[float, float] | None


@dataclass(frozen=True)
class TermCheck:
    """Whether a term can change a best reply at all.

    Attributes:
        name: of the term.
        weight: its weight.
        harmless: True: a potential explains it; False: none does; None: not examined.
        residual: what the best potential leaves, as a share of the term's size; None where nothing
            was solved.
        reason: why, in a few words.
    """

    name: str
    weight: float
    harmless: bool | None
    residual: float | None
    reason: str


@dataclass(frozen=True)
class SeenPart:
    """A part of an observation, and what was found to move it.

    Attributes:
        name: of the part.
        rivals: whether an act of another seat of the same role moves it.
        others: whether an act of a seat of another role moves it.
        own_past: whether an earlier act of the seat itself moves it.
        rounds_old: in the same round (0) or so many rounds later; None: nobody's act moves it.
        public: whether all seats of the role see the same.
    """

    name: str
    rivals: bool
    others: bool
    own_past: bool
    rounds_old: int | None
    public: bool


@dataclass(frozen=True)
class SeatReport:
    """What lint says of the seats of one role with one table.

    Attributes:
        owner: the role, or the seats.
        asks: the KPI in words.
        learns: whether these seats learn.
        terms: what each term can do.
        sees: the parts of the observation.
    """

    owner: str
    asks: str
    learns: bool
    terms: tuple[TermCheck, ...]
    sees: tuple[SeenPart, ...]

    @property
    def uses_rivals(self) -> bool:
        """Whether a part of the observation is about a rival of the same role."""
        return any(part.rivals for part in self.sees)


@dataclass(frozen=True)
class ArmReport:
    """What lint says of an arm.

    Attributes:
        arm: its name.
        market: the market's name.
        seats: one entry for each group of seats.
        findings: the gravest first.
        stable: stable play; None where it was not found.
        patience: what patience would change; None where it was not examined.
        not_examined: what was left out, and why.
    """

    arm: str
    market: str
    seats: tuple[SeatReport, ...]
    findings: tuple[LintFinding, ...]
    stable: StableRange | None
    patience: Patience | None
    not_examined: tuple[str, ...]

    @property
    def severity(self) -> str | None:
        """The gravest severity among the findings; None: there are none."""
        return min((f.severity for f in self.findings), key=SEVERITIES.index, default=None)

    def plain(self) -> Mapping[str, Any]:
        """The report as data for JSON."""
        data = asdict(self)
        data["severity"] = self.severity
        for entry, seat in zip(data["seats"], self.seats, strict=True):
            entry["uses_rivals_data"] = seat.uses_rivals
        return data
