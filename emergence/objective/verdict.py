"""The word for what the KPI has done: does the KPI explain it, or learning?

A seed passes a regret below the level at which a gain counts (`tacit.emergence.payoffs.gain_unit`):
.05 of profit_M - profit_N, else .02 of the value scale. Shares of seeds have Wilson 95 % intervals,
n >= 48 (below that `undecided at n`), in this order:

0. No seat learns: `scripted`. The words are of seats that learn.
1. `KPI-made`: lower(share passing both KPI regrets) > .5: agents reply best to their KPI, in every
   round and looking ahead; upper(share passing a fundamental regret, either) < .5: a firm that
   looks at its fundamental would do otherwise, patient or not; and the KPI alone explains at least
   half of the largest harm: lower end over starts of the best-response benchmark, which must have
   settled, upper end of the harm over seeds.
2. `KPI-made, round by round`: the same with lower(share passing one-round KPI regret) > .5, but
   upper(share passing both) < .5: every step is a best reply, and a patient agent would leave.
3. `learned`: upper(share passing one-round KPI regret) < .5: the KPI does not explain what they do.
4. else: `undecided`.

Why the third condition: a KPI may make every status quo a best reply (one that charges changes
does). Regret is then small wherever learning happened to stop, and only the benchmark says how far
best replies go by themselves. A harm is one if its interval lies above the level of gains.

The first lines are the split of the harm, the largest first; then every condition with its interval
and n; last, what decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan

from tacit.emergence import stats
from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.payoffs import GainUnit, gain_unit
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.market import Seat

from .harm import harm_measures, why_no_mirror
from .kpi_scale import kpi_scales
from .patient_regret import TOO_LARGE, why_no_patient_gains
from .regret import why_no_regret
from .split import HarmSplit, harm_splits

HALF = 0.5
SETTLED = 0.05  # fictitious play whose tables still move by more has not settled
KPI_MADE, ROUND_BY_ROUND = "KPI-made", "KPI-made, round by round"
LEARNED, SCRIPTED = "learned", "scripted"
WORDS = (KPI_MADE, ROUND_BY_ROUND, LEARNED, SCRIPTED, UNDECIDED)
BOTH = "KPI and fundamental both ask for this play"
PATIENT = "a patient agent paid by this KPI would stay"
KPI_ROUND, KPI_PATIENT = "kpi_regret_round", "kpi_regret_patient"
OWN_ROUND, OWN_PATIENT = "fundamental_regret_round", "fundamental_regret_patient"


@dataclass(frozen=True)
class KpiConditions:
    """What the rule asks, measured.

    Attributes:
        one_round: share of seeds that reply best to the KPI in one round; None: not in all seeds.
        patient: share of seeds that pass the patient KPI regret; None: not in all seeds.
        both: share of seeds that pass both.
        fundamental: share of seeds that pass a fundamental regret, either.
        share: the KPI's share of the largest harm; None: no harm is shown, there is no split in
            every seed, or the benchmark has not settled.
    """

    one_round: Estimate | None
    patient: Estimate | None
    both: Estimate | None
    fundamental: Estimate | None
    share: Estimate | None

    @property
    def word(self) -> str:
        """The word for any number of seeds that learned."""
        if self.one_round is None:
            return UNDECIDED
        if self._kpi_made(self.both):
            return KPI_MADE
        if self._kpi_made(self.one_round) and self.both is not None and self.both.high < HALF:
            return ROUND_BY_ROUND
        return LEARNED if self.one_round.high < HALF else UNDECIDED

    def _kpi_made(self, replies: Estimate | None) -> bool:
        return replies is not None and replies.low > HALF and self.otherwise and self.explained

    @property
    def otherwise(self) -> bool:
        """Whether a firm that looks at its fundamental would do otherwise."""
        return self.fundamental is not None and self.fundamental.high < HALF

    @property
    def explained(self) -> bool:
        """Whether the KPI alone explains at least half of the harm."""
        return self.share is not None and self.share.low >= HALF

    @property
    def decided(self) -> str:
        """What the word follows from."""
        word = self.word
        if word == KPI_MADE:
            return "best replies to the KPI, patient too; not to the fundamental; half of the harm"
        if word == ROUND_BY_ROUND:
            return "best replies to the KPI in one round, and not of a patient agent"
        if word == LEARNED:
            return "no best replies to the KPI in one round"
        if self.one_round is None:
            return "regrets that are missing"
        return "; ".join(self._open())

    def _open(self) -> list[str]:
        """Which conditions keep an arm from every word."""
        assert self.one_round is not None
        found = []
        if self.one_round.low <= HALF:
            found.append("best replies to the KPI in one round: neither most seeds nor few")
        elif self.both is None:
            found.append("patient best replies are not measured in every seed")
        elif self.both.low <= HALF <= self.both.high:
            found.append("patient best replies to the KPI: neither most seeds nor few")
        if not self.otherwise:
            found.append("the fundamental may ask for this play too")
        if not self.explained:
            found.append("the KPI alone is not shown to explain half of a harm")
        return found


def kpi_or_learning(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where the market has no regrets."""
    if why_no_regret(e.market, e.kpi) is not None:
        return None
    splits = harm_splits(harm_measures(e.market), lambda name: e.mean(name))
    found = conditions(e, splits)
    learners = any(e.learned)
    word = found.word if learners else SCRIPTED
    missing = _missing(e, found, splits)
    if learners and e.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(e.n, word))
        word = undecided_at(e.n)
    decided = (
        found.decided if learners else "no seat learns, and the other words are of seats that do"
    )
    if word.startswith(undecided_at(e.n)) and learners:
        decided = f"too few seeds; by these: {decided}"
    lines = [split.line() for split in splits]
    lines += _condition_lines(e, found, splits) + _exactness(e) + [f"decided by: {decided}"]
    return Verdict("KPI", word, tuple(lines), tuple(missing), _qualifiers(found, word))


def conditions(e: Evidence, splits: list[HarmSplit]) -> KpiConditions:
    """The conditions of the rule, measured; `splits`: the largest harm first."""
    level = unit_of(e).negligible
    passes = {name: passing(e, name, level) for name in (KPI_ROUND, KPI_PATIENT, OWN_ROUND)}
    in_round, patient = passes[KPI_ROUND], passes[KPI_PATIENT]
    both = None
    if in_round is not None and patient is not None:
        both = [a and b for a, b in zip(in_round, patient, strict=True)]
    own = passes[OWN_ROUND]
    if own is not None and (later := passing(e, OWN_PATIENT, level)) is not None:
        own = [a or b for a, b in zip(own, later, strict=True)]
    whole = splits[0].whole if splits else None
    known = whole is not None and whole.n == e.n and splits[0].shown(e.market) and not unsettled(e)
    share = splits[0].kpi_share if known else None
    return KpiConditions(_share(in_round), _share(patient), _share(both), _share(own), share)


def passing(e: Evidence, regret: str, level: float) -> list[bool] | None:
    """Which seeds have a regret below the level; None unless all seeds have the figure."""
    values = list(e.figures.get(regret, ()))
    if len(values) != e.n or not e.n or any(isnan(value) for value in values):
        return None
    return [value < level for value in values]


def unsettled(e: Evidence) -> float:
    """By how much fictitious play still moved a probability; 0 if it has settled, or nobody knows
    (runs of old versions)."""
    moved = max(e.defined("mirror_moved"), default=0.0)
    return moved if moved > SETTLED else 0.0


def judged(e: Evidence) -> list[Seat]:
    """The seats that learned; all where none did."""
    learned = [seat for seat, own in zip(e.market.seats, e.learned, strict=False) if own]
    return learned or list(e.market.seats)


def unit_of(e: Evidence) -> GainUnit:
    """The unit of gains; of several roles the level is the same."""
    return gain_unit(e.market, judged(e)[0].role)


def _share(passes: list[bool] | None) -> Estimate | None:
    return None if passes is None else stats.wilson(sum(passes), len(passes))


# --- in words -------------------------------------------------------------------------------------


def _condition_lines(e: Evidence, found: KpiConditions, splits: list[HarmSplit]) -> list[str]:
    unit = unit_of(e)
    gain = f"(gain below {number(unit.negligible)} of {unit.name})"
    shares = {
        f"seeds that reply best to the KPI in one round {gain}": found.one_round,
        "seeds that do so as a patient agent would, too": found.both,
        "seeds that reply best to the fundamental, in one round or as a patient agent would": (
            found.fundamental
        ),
    }
    lines = [f"{label}: {_shown(share)}" for label, share in shares.items()]
    if found.share is not None:
        low = f"{number(found.share.low)} at the lower end over starts and seeds"
        lines.append(
            f"share of the harm in {splits[0].measure} that the KPI alone explains: "
            f"{number(found.share.mean)}, {low}, n = {found.share.n}"
        )
    elif splits:
        why = "no harm is shown"
        if unsettled(e):
            why = "the mirror has not settled"
        elif splits[0].whole.n < e.n:
            why = "not measured in every seed"
        lines.append(f"share of the harm that the KPI alone explains: {why}")
    if any(e.learned) and not all(e.learned):
        names = ", ".join(seat.name for seat in judged(e))
        lines.append(f"regrets are those of the seats that learn: {names}")
    return lines


def _shown(share: Estimate | None) -> str:
    if share is None:
        return "not measured in every seed"
    return f"{number(share.mean)} {interval(share)}, n = {share.n}"


def _exactness(e: Evidence) -> list[str]:
    """Whether regrets and mirror are exact, where that is known (not of runs of old versions)."""
    labels = {
        "regret_exact": "one-round regrets",
        "regret_patient_exact": "patient regrets",
        "mirror_exact": "mirror",
    }
    kinds = {label: e.defined(name) for name, label in labels.items()}
    parts = [f"{k} {'exact' if min(x) == 1 else 'a sample'}" for k, x in kinds.items() if x]
    return ["; ".join(parts)] if parts else []


def _qualifiers(found: KpiConditions, word: str) -> tuple[str, ...]:
    if word == UNDECIDED and found.one_round is not None and found.fundamental is not None:
        return (BOTH,) if min(found.one_round.low, found.fundamental.low) > HALF else ()
    if word == LEARNED and found.patient is not None and found.patient.low > HALF:
        return (PATIENT,)
    return ()


def _missing(e: Evidence, found: KpiConditions, splits: list[HarmSplit]) -> list[str]:
    missing = []
    for label, name, reason in (
        ("KPI regret", KPI_ROUND, _why_no_one_round(e)),
        ("fundamental regret", OWN_ROUND, _why_no_one_round(e)),
        ("patient regrets", KPI_PATIENT, why_no_patient_gains(e.market, e.kpi) or TOO_LARGE),
    ):
        count = sum(isfinite(value) for value in e.figures.get(name, ()))
        if not count:
            missing.append(f"{label}: {reason}")
        elif count < e.n:
            missing.append(f"{label}: in {e.n - count} of {e.n} seeds; {reason}")
    if not splits:
        reason = why_no_mirror(e.market, e.kpi) or "not in these figures"
        missing.append(f"split of the harm: {reason}")
    if moved := unsettled(e):
        missing.append(
            f"a mirror that has settled: the last quarter of its steps moved a probability by "
            f"{number(moved)}, over {number(SETTLED)}"
        )
    return missing


def _why_no_one_round(e: Evidence) -> str:
    """Why a one-round regret is not a number in some seed."""
    for seat in judged(e):
        if isnan(gain_unit(e.market, seat.role).size):
            return f"{e.market.name} gives no scale for the gains of its {seat.role.name}s"
        if isnan(kpi_scales(e.market, e.kpi)[seat.index]):
            return f"the fundamental of {seat.name} is the same whatever happens: no scale"
    return "the tables allow too many different rounds to go through"
