"""Lint of one arm: everything that can be said of its KPIs before anybody is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.payoffs import (
    rewards_only_fundamental,
    rewards_only_fundamentals,
)
from tacit.emergence.tree.payoff_history import looks_back
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats
from tacit.oversight.lint.stable.best_responders import PLAYED_ENDS, BestResponders
from tacit.oversight.lint.stable.choice import StablePlay, measured, stable_play
from tacit.oversight.lint.stable.pricing import Pricing, price
from tacit.oversight.lint.stable.profiles import ProfileGame

from .data_use import seen_parts
from .free_actions import free_actions
from .harms import HIGH_SHARE, harms, severity_of, stable_range, worse_measures
from .mechanism import mechanism
from .potential import HARMLESS, term_residual
from .repair import smallest_repair
from .report import (
    HIGH,
    NOTE,
    SEVERITIES,
    ArmReport,
    FreeAction,
    LintFinding,
    Patience,
    SeatReport,
    StableRange,
    TermCheck,
)
from .trials import Trials

FREE_COPIES, SEEN_COPIES = 4_096, 512  # sampled rounds
EXACT, PLAYED = 1e-5, 1 / 16  # precision of a repair, as a share of the change
KEEPS = 1e-6  # of the least gain that counts: a patient seat leaves for more
ROUND_BY_ROUND, PATIENT = "best reply round by round", "patient best reply"
MOST_DIGITS = 2**16  # observations of a role up to which parts of it are looked at


def lint(
    arm: str,
    market: Market,
    kpi: kpis.KpiTable,
    learned: Sequence[bool],
    scripts: Sequence[PolicyTable | None],
    discounts: Sequence[float],
) -> ArmReport:
    """Everything that lint says of an arm.

    Args:
        arm: its name.
        market: the market.
        kpi: the resolved KPI table.
        learned: whether each seat learns.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
        discounts: of each seat's learner.
    """
    pricing = price(market, kpi)
    left_out: list[str] = []
    findings: list[LintFinding] = []
    stable, patience, play = None, None, None
    if not any(learned):
        left_out.append("stable play, free actions: no seat learns, so nothing is learned of a KPI")
    else:
        play, reason = stable_play(pricing, learned, scripts)
        if play is None:
            left_out.append(f"stable play: {reason}")
        elif rewards_only_fundamentals(market, kpi) and not isinstance(play, ProfileGame):
            left_out.append("stable play: every KPI is the fundamental, so there is no difference")
        else:
            if isinstance(play, ProfileGame):
                left_out.append("stable play: mixed profiles, and play that goes in cycles")
            stable, found = _stable_findings(pricing, play, left_out)
            findings += found
        patience = _patience(pricing, play, discounts, left_out)
        findings += _free_findings(pricing, learned, scripts, stable is not None, findings)
    return ArmReport(
        arm,
        market.name,
        _seats(pricing, learned, scripts, discounts, left_out),
        tuple(sorted(findings, key=lambda f: SEVERITIES.index(f.severity))),
        stable,
        patience,
        (*left_out, *_always_left_out(market, learned)),
    )


# --- stable play ----------------------------------------------------------------------------------


def _stable_findings(
    pricing: Pricing, play: StablePlay, left_out: list[str]
) -> tuple[StableRange | None, list[LintFinding]]:
    """Stable play under the KPIs beside the fundamentals, and the finding if it is worse."""
    market = pricing.market
    ideal, own = play.outcomes(pricing.ideal), play.outcomes(pricing.weights)
    if ideal is None or own is None:
        whose = "the fundamentals" if ideal is None else "the KPIs"
        left_out.append(f"stable play: under {whose} there is none of this kind ({play.method})")
        return None, []
    found = harms(pricing, ideal, own)
    shown = stable_range(market, play.method, ideal, own)
    if not found:
        return shown, []

    tried = play
    if isinstance(play, BestResponders):
        # One start and fewer steps show on which side of the border a weight lies.
        tried = replace(play, starts=1, played_ends=PLAYED_ENDS // 2)

    def bad(weights: Floats) -> bool:
        outcomes = tried.outcomes(weights)
        return outcomes is None or bool(harms(pricing, ideal, outcomes))

    precision = EXACT if isinstance(play, ProfileGame) else PLAYED
    repair = smallest_repair(pricing, bad, precision, worse_measures(market, ideal, own))
    finding = LintFinding(
        "stable play", severity_of(found), mechanism(pricing, play), tuple(found), None, repair
    )
    return shown, [finding]


def _patience(
    pricing: Pricing, play: StablePlay | None, discounts: Sequence[float], left_out: list[str]
) -> Patience | None:
    """What a patient plan gains where one-round best replies have settled."""
    market = pricing.market
    if play is None:
        left_out.append("patience: without stable play there is nothing to leave")
        return None
    if not looks_back(market, pricing.kpi):
        return Patience(PATIENT, 0.0, max(discounts), 0, 0, None)
    if not isinstance(play, ProfileGame):
        left_out.append("patience: the KPI looks back and a round has several decisions")
        return None
    stable = np.flatnonzero(play.stable(pricing.weights))
    if not len(stable):
        return None
    gains = play.patient_gains(pricing.weights, discounts)[stable]
    level = max(pricing.negligible.values())
    kept = stable[gains.max(axis=1) <= KEEPS * level]
    prices = measured(market, play.measures()[kept], market.headline) if len(kept) else None
    worst = np.unravel_index(int(gains.argmax()), gains.shape)
    return Patience(
        PATIENT if len(kept) == len(stable) else ROUND_BY_ROUND,
        float(gains.max()),
        float(discounts[int(worst[1])]),
        len(kept),
        len(stable),
        None if prices is None else (float(prices.min()), float(prices.max())),
    )


# --- free actions ---------------------------------------------------------------------------------


def _free_findings(
    pricing: Pricing,
    learned: Sequence[bool],
    scripts: Sequence[PolicyTable | None],
    compared: bool,
    known: Sequence[LintFinding],
) -> list[LintFinding]:
    """A finding for each free part.

    How grave it is, stable play decides where it was `compared` with that under the fundamentals;
    where it was not, and for losses of scripted seats, whose KPI nobody follows, the loss itself
    does. To a seat that is paid its fundamental alone the market's rules, not the KPI, leave the
    part free: a note.
    """
    market = pricing.market
    trials = Trials(pricing.market, pricing.table, scripts, FREE_COPIES)
    found = []
    for free in free_actions(trials, pricing, learned):
        gravest = next((f for f in known if f.kind == "stable play"), None)
        unprotected = any(
            not x.counted and x.share is not None and x.share >= HIGH_SHARE
            for x in free.losers
            if not compared or not learned[market.seat(x.owner).index]
        )
        severity = NOTE
        if rewards_only_fundamental(market.seat(free.seat), pricing.kpi):
            gravest = gravest if gravest and any(not x.counted for x in free.losers) else None
            severity = gravest.severity if gravest else NOTE
        elif unprotected:
            severity = HIGH
        elif gravest is not None and any(not x.counted for x in free.losers):
            severity = gravest.severity
        found.append(LintFinding("free action", severity, _free_words(free), (), free))
    return found


def _free_words(free: FreeAction) -> str:
    """Why a free part is one, in a sentence."""
    uncounted = [x for x in free.losers if not x.counted]
    gains = "gains" if free.gain > 0 else "loses nothing"
    text = (
        f"{free.seat} {gains} in its KPI, whatever the others do, by {free.part} {free.to} in "
        f"place of {free.value}{f' where it sees {free.where}' if free.where else ''}"
    )
    if uncounted:
        who = ", ".join(f"{x.owner} in {x.measure}" for x in uncounted)
        text += f"; no KPI of a seat that learns counts what it costs {who}"
    else:
        text += "; the KPI of whoever loses counts it"
    if free.reported:
        text += f". The market reports it as {', '.join(free.reported)}, which no KPI prices"
    return text + "."


# --- seats ----------------------------------------------------------------------------------------


def _seats(
    pricing: Pricing,
    learned: Sequence[bool],
    scripts: Sequence[PolicyTable | None],
    discounts: Sequence[float],
    left_out: list[str],
) -> tuple[SeatReport, ...]:
    """What is said of each group of seats."""
    market = pricing.market
    sees = {}
    if max(role.observations for role in market.roles) <= MOST_DIGITS:
        sees = seen_parts(Trials(market, pricing.table, scripts, SEEN_COPIES))
    else:
        left_out.append(f"rivals' data: a role sees more than {MOST_DIGITS:,} observations")
    found = []
    for group in pricing.groups:
        seat = market.seats[group.seats[0]]
        terms = tuple(
            _check_term(pricing, group.seats[0], name, term, discounts[seat.index])
            for name, term in pricing.kpi[seat.name].items()
        )
        found.append(
            SeatReport(
                group.name,
                kpis.sentence(pricing.kpi[seat.name]),
                bool(learned[seat.index]),
                terms,
                sees.get(seat.role.name, ()),
            )
        )
    return tuple(found)


def _check_term(
    pricing: Pricing,
    seat: int,
    name: str,
    term: kpis.Term,
    discount: float,
) -> TermCheck:
    """Whether a term can change a best reply."""
    market = pricing.market
    own = market.seats[seat]
    if not term.weight:
        return TermCheck(name, term.weight, True, None, "weight 0")
    plain = (term.measure, term.scope, term.transform) == (own.role.fundamental, "own", "value")
    if plain:
        return TermCheck(name, term.weight, False, None, "the fundamental itself")
    if market.analysis_class is None:
        return TermCheck(name, term.weight, None, None, market.lacks_analysis())
    try:
        left = term_residual(market, seat, term, discount)
    except ConfigError as error:
        return TermCheck(name, term.weight, None, None, str(error))
    harmless = left <= HARMLESS
    reason = "a potential explains it" if harmless else "no potential explains it"
    return TermCheck(name, term.weight, harmless, left, reason)


def _always_left_out(market: Market, learned: Sequence[bool]) -> list[str]:
    """What no arm is examined for."""
    found = [
        f"free actions and rivals' data: {FREE_COPIES:,} and {SEEN_COPIES} sampled rounds, not all",
        "what learners find: memory, punishment, exploration and habit can raise or lower all of "
        "this",
    ]
    scripted = [s.name for s, own in zip(market.seats, learned, strict=True) if not own]
    if scripted:
        found.append(f"KPIs of scripted seats, which do not follow them: {', '.join(scripted)}")
    if market.analysis_class is not None and market.analysis.luck:
        found.append("draws within a round: payoffs are means over them")
    return found
