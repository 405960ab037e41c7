"""`tacit blame RUN`: which difference between two arms a harm is due to.

Two arms differ in *factors*: the KPI, the market's rules, the learner, its patience, its
exploration, how long it trained. With y(.) the measure that the harm is in, A the arm and B the
reference, harm = y(B) - y(A), and a factor's share is the mean of what it does in two orders:

    share(f) = [y(A with f of B) - y(A)] / 2 + [y(B) - y(B with f of A)] / 2

the first taken out of the arm, the second put into the reference. Every arm is trained on the same
seeds, so shares are paired differences, seed by seed. With two factors the shares add up to the
harm exactly (it is the Shapley value of a game of two, Shapley 1953); with more, what is left has a
row of its own, so the rows add up. Beside them stands the *interaction*: how much more the factors
do together than one by one,

    interaction = harm - sum over f of [y(A with f of B) - y(A)]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.emergence import stats
from tacit.emergence.objective import harm_measures
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arm_settings import flat_settings
from tacit.training.config.arms import Arm, Experiment, arm_from_plain
from tacit.training.config.experiment_file import GROUPS, ExperimentFile
from tacit.training.config.layers import set_dotted
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.progress import NoProgress, ProgressListener
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.run_folder import RunFolder

KPI, RULES, LEARNER = "KPI", "market's rules", "learner"
PATIENCE, EXPLORATION, TRAINING = "patience", "exploration", "training"
FACTORS = (KPI, RULES, LEARNER, PATIENCE, EXPLORATION, TRAINING)
PATIENCE_KEYS = ("discount",)
EXPLORATION_KEYS = (
    "exploration", "epsilon", "epsilon_decay", "epsilon_min", "temperature", "temperature_decay",
    "tie_break", "entropy", "entropy_end",
)  # fmt: skip
ARM, REFERENCE = "arm", "reference"


@dataclass(frozen=True)
class Share:
    """What one factor does.

    Attributes:
        factor: its name.
        differs: the settings in which the arms differ, as `key: arm -> reference`.
        taken_out: what giving the arm this factor of the reference brings back, in the measure.
        put_in: what giving the reference this factor of the arm costs.
        share: the mean of both.
    """

    factor: str
    differs: tuple[str, ...]
    taken_out: Estimate
    put_in: Estimate
    share: Estimate


@dataclass(frozen=True)
class Blame:
    """To what a harm is due.

    Attributes:
        measure: the measure that it is in.
        arm: its value in the arm, over seeds.
        reference: its value in the reference.
        harm: reference less arm.
        shares: of the factors, the largest first.
        rest: what the shares leave.
        interaction: what the factors do together beyond what each does alone.
    """

    measure: str
    arm: Estimate
    reference: Estimate
    harm: Estimate
    shares: tuple[Share, ...]
    rest: Estimate
    interaction: Estimate

    def rows(self) -> list[dict[str, str]]:
        """The table: a row a factor, then what is left and the whole."""
        whole = self.harm
        rows = [
            {
                "due to": share.factor,
                "harm": number(share.share.mean),
                "95 %": interval(share.share),
                "n": str(share.share.n),
                "of the whole": _of(share.share.mean, whole),
                "taken out": number(share.taken_out.mean),
                "put in": number(share.put_in.mean),
                "differs in": "; ".join(share.differs),
            }
            for share in self.shares
        ]
        left = [("not shared out", self.rest)] if len(self.shares) > 2 else []
        for name, own in (*left, ("the whole", self.harm)):
            cells = {"harm": number(own.mean), "95 %": interval(own), "n": str(own.n)}
            rows.append({"due to": name, **cells, "of the whole": _of(own.mean, whole)})
        return rows

    def plain(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "measure": self.measure,
            "arm": self.arm.plain(),
            "reference": self.reference.plain(),
            "harm": self.harm.plain(),
            "shares": [
                {
                    "factor": s.factor,
                    "differs": list(s.differs),
                    "share": s.share.plain(),
                    "taken_out": s.taken_out.plain(),
                    "put_in": s.put_in.plain(),
                }
                for s in self.shares
            ],
            "rest": self.rest.plain(),
            "interaction": self.interaction.plain(),
        }


def _of(part: float, whole: Estimate) -> str:
    """A part in per cent of the whole; none where no harm is shown: its interval includes 0."""
    shown = whole.low > 0 or whole.high < 0
    return f"{part / whole.mean:.0%}" if shown and whole.mean else "-"


# --- what differs --------------------------------------------------------------------------------


def factor_of(key: str) -> str | None:
    """The factor that a resolved setting belongs to; None: it is none (seeds, what is recorded)."""
    group, *path = key.split(".")
    if group == "agents":
        name = path[-1]
        if name in PATIENCE_KEYS:
            return PATIENCE
        return EXPLORATION if name in EXPLORATION_KEYS else LEARNER
    return {"kpi": KPI, "market": RULES, "train": TRAINING}.get(group)


def differing_factors(arm: Arm, reference: Arm) -> dict[str, dict[str, tuple[Any, Any]]]:
    """By factor, the settings in which two arms differ: their values, None where one has none."""
    own, other = flat_settings(arm.plain), flat_settings(reference.plain)
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key in dict.fromkeys([*own, *other]):
        factor, pair = factor_of(key), (own.get(key), other.get(key))
        if factor in (PATIENCE, EXPLORATION) and not (key in own and key in other):
            factor = LEARNER  # a key that only one learner has cannot be swapped without it
        if factor and pair[0] != pair[1]:
            found.setdefault(factor, {})[key] = pair
    return {factor: _by_role(arm, found[factor]) for factor in FACTORS if factor in found}


def _by_role(arm: Arm, keys: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Settings of seats under their role's name where they differ alike in all of its seats."""
    told: dict[str, tuple[Any, Any]] = {}
    for key, pair in keys.items():
        group, *path = key.split(".")
        owner, rest = path[0], path[1:]
        role = next((s.role.name for s in arm.market.seats if s.name == owner), None)
        others = [s.name for s in arm.market.seats if s.role.name == role]
        alike = [".".join([group, other, *rest]) for other in others]
        if role and all(keys.get(each) == pair for each in alike):
            told[".".join([group, role, *rest])] = pair
        else:
            told[key] = pair
    return told


def swapped(base: Arm, other: Arm, factor: str, name: str) -> Arm:
    """An arm with one factor of another one.

    Raises:
        ConfigError: this cannot be: the factor needs another one to go with it.
    """
    plain: dict[str, Any] = {
        key: value for key, value in base.plain.items() if key not in ("kpi", "agents")
    }
    plain["kpi"] = other.plain["kpi"] if factor == KPI else base.plain["kpi"]
    plain["agents"] = {
        seat: _swapped_agent(base.plain["agents"][seat], other.plain["agents"][seat], factor)
        for seat in base.plain["agents"]
    }
    for group, of in (("market", RULES), ("train", TRAINING)):
        if factor == of:
            plain[group] = other.plain[group]
    try:
        return arm_from_plain(name, plain)
    except ConfigError as error:
        raise ConfigError(
            [f"{factor} of the other arm alone does not fit: {line}" for line in error.mistakes]
        ) from None


def _swapped_agent(own: Mapping[str, Any], other: Mapping[str, Any], factor: str) -> dict[str, Any]:
    """One seat's agent with the learner, patience or exploration of another one."""
    named = {PATIENCE: PATIENCE_KEYS, EXPLORATION: EXPLORATION_KEYS}
    if factor in named:
        keys = [key for key in named[factor] if key in own and key in other]
        return {**own, **{key: other[key] for key in keys}}
    if factor != LEARNER:
        return dict(own)
    # The other learner, with what it shares of this one's patience and exploration.
    kept = [key for key in (*PATIENCE_KEYS, *EXPLORATION_KEYS) if key in own and key in other]
    return {**other, **{key: own[key] for key in kept}}


# --- training and shares -------------------------------------------------------------------------


def plan(arm: Arm, reference: Arm, seeds: int) -> dict[str, Arm]:
    """The arms to train, by a name that says what they are.

    Raises:
        ConfigError: the arms differ in nothing, or in seats, or a factor cannot be swapped alone.
    """
    if arm.market.name != reference.market.name or set(arm.kpi) != set(reference.kpi):
        raise ConfigError("--reference: must be in the same market, with the same seats.")
    for name, own in (("--arm", arm), ("--reference", reference)):
        if own.train.starts_from is not None:
            raise ConfigError(
                f"{name}: begins where another arm ends, so its factors are not its own."
            )
    factors = differing_factors(arm, reference)
    if not factors:
        raise ConfigError("--reference: differs in nothing from the arm.")
    arms = {ARM: arm, REFERENCE: reference}
    mistakes: list[str] = []
    for factor in factors if len(factors) > 1 else ():
        for base, other, name in (
            (arm, reference, f"arm_with_{_slug(factor)}_of_reference"),
            (reference, arm, f"reference_with_{_slug(factor)}_of_arm"),
        ):
            try:
                arms[name] = swapped(base, other, factor, name)
            except ConfigError as error:
                mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    return {name: _renamed(own, name, seeds) for name, own in arms.items()}


def same_as(arms: Mapping[str, Arm]) -> dict[str, str]:
    """By arm, the first arm of the same configuration: only these are trained.

    With two factors, an arm with one of the reference is the reference with the other of the arm.
    """
    first: dict[str, str] = {}
    return {
        name: first.setdefault(json.dumps(own.plain, sort_keys=True), name)
        for name, own in arms.items()
    }


def _renamed(arm: Arm, name: str, seeds: int) -> Arm:
    """The arm under a name, with so many seeds."""
    return arm_from_plain(name, {**arm.plain, "seeds": seeds})


def _slug(factor: str) -> str:
    return factor.replace("'", "").replace(" ", "_")


def blame(
    arm: Arm,
    reference: Arm,
    run: RunFolder,
    seeds: int,
    measure: str | None = None,
    listener: ProgressListener | None = None,
) -> Blame:
    """Train what is needed, and find every factor's share of the harm.

    Args:
        arm: in which the harm is.
        reference: with which it is compared.
        run: where the arms are trained; those that are trained already are kept.
        seeds: how many of each.
        measure: in which the harm is; by default, of those by which the market judges harm, the one
            that lost most.
        listener: receives the progress.

    Raises:
        ConfigError: what `plan` raises, or an unknown measure.
        Interrupted: stopped by a signal; the same command goes on.
    """
    arms = plan(arm, reference, seeds)
    question = f"What is the harm in {arm.name} due to, against {reference.name}?"
    file = ExperimentFile(market=arm.market.name, question=question)
    same = same_as(arms)
    trained = {name: arms[name] for name in same.values()}
    train_experiment(Experiment(run.name, file, trained, []), run, listener or NoProgress())
    summaries = read_summary(run.summary)
    values = {
        name: {m: own["per_seed"] for m, own in summaries[same[name]]["measures"].items()}
        for name in arms
    }
    chosen = measure or _most_lost(arm, values)
    if chosen not in values[ARM]:
        raise ConfigError(f"--measure: unknown '{chosen}'. {nearest(chosen, values[ARM])}")
    return shares(differing_factors(arm, reference), values, chosen)


def _most_lost(arm: Arm, values: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """The measure of harm of which the arm has least, compared with the reference."""
    known = [
        name
        for name in harm_measures(arm.market)
        if name in values[ARM] and name != arm.market.welfare
    ]
    if not known:
        raise ConfigError("--measure: is needed; this market judges harm by none.")
    lost = {name: stats.paired(values[REFERENCE][name], values[ARM][name]).mean for name in known}
    return max(known, key=lambda name: lost[name])


def shares(
    factors: Mapping[str, Mapping[str, tuple[Any, Any]]],
    values: Mapping[str, Mapping[str, Sequence[float]]],
    measure: str,
) -> Blame:
    """Every factor's share, from values by arm, measure and seed."""
    own, other = values[ARM][measure], values[REFERENCE][measure]
    n = min(len(own), len(other))
    whole = [other[k] - own[k] for k in range(n)]
    found, left, together = [], list(whole), list(whole)
    for factor, keys in factors.items():
        if len(factors) == 1:
            out, into = whole, whole
        else:
            with_factor = values[f"arm_with_{_slug(factor)}_of_reference"][measure]
            without = values[f"reference_with_{_slug(factor)}_of_arm"][measure]
            out = [with_factor[k] - own[k] for k in range(n)]
            into = [other[k] - without[k] for k in range(n)]
        mean = [(a + b) / 2 for a, b in zip(out, into, strict=True)]
        left = [rest - part for rest, part in zip(left, mean, strict=True)]
        together = [rest - part for rest, part in zip(together, out, strict=True)]
        differs = tuple(_differs(keys))
        estimates = (stats.student(x) for x in (out, into, mean))
        found.append(Share(factor, differs, *estimates))
    found.sort(key=lambda s: -abs(s.share.mean))
    return Blame(
        measure, stats.student(own), stats.student(other), stats.student(whole), tuple(found),
        stats.student(left), stats.student(together),
    )  # fmt: skip


def _differs(keys: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """`key: arm -> reference`; of a KPI term that only one arm has, its weight alone."""
    for key, (own, other) in keys.items():
        if key.startswith("kpi.") and None in (own, other) and not key.endswith(".weight"):
            continue
        yield f"{key}: {own} -> {other}"


def changed(arm: Arm, settings: Sequence[tuple[str, Any]], name: str) -> Arm:
    """An arm with some resolved settings changed; a role's name stands for all its seats.

    Raises:
        ConfigError: a key that the arm does not have, or a value that it cannot take.
    """
    plain: dict[str, Any] = dict(arm.plain)
    roles = {seat.name: seat.role.name for seat in arm.market.seats}
    mistakes = []
    for key, value in settings:
        group, *path = key.split(".")
        if factor_of(key) is None:
            mistakes.append(f"{key}: nothing can be due to it. {nearest(group, GROUPS)}")
            continue
        owners = [seat for seat, role in roles.items() if path and path[0] in (seat, role)]
        keys = [[group, seat, *path[1:]] for seat in owners] or [[group, *path]]
        if group == "kpi" and len(path) == 2 and not isinstance(value, Mapping):
            # As in `tacit train`: of a term that is there only the weight changes.
            known_terms = {seat: arm.plain["kpi"][seat] for seat in owners}
            keys = [
                [group, seat, path[1], "weight"] if path[1] in known_terms[seat] else each
                for seat, each in zip(owners, keys, strict=True)
            ]
        for each in keys:
            known = flat_settings(plain)
            if ".".join(each) not in known and group != "kpi":
                mistakes.append(f"{key}: unknown key. {nearest(key, known)}")
                break
            set_dotted(plain, each, value)
    if mistakes:
        raise ConfigError(mistakes)
    return arm_from_plain(name, plain)
