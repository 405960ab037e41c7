"""An examination: a bot against known players, and what the probes say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacit.agents.external.example_bots import Cap
from tacit.agents.policy import PolicyTable
from tacit.emergence.claims.channels import why_no_claims
from tacit.emergence.evidence import DISCLAIMER, Verdict
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.stats import interval, number
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.training.config.arms import Arm

from .answers import Answers
from .exploit import Exploit, exploits
from .findings import ExamFinding, all_answers, findings
from .matches import (
    ALONE,
    COMPETITIVE,
    ITSELF,
    LEARNERS,
    Match,
    Step,
    play_matches,
)
from .played import PlayedMatch, play_learners, play_live
from .subject import Subject

SEEDS = 48  # of a match without learners: as many as a word needs
ITS_KPI = "KPI"
NO_LEARNERS = f"against {LEARNERS}: --seeds 0"


@dataclass(frozen=True)
class Exam:
    """All that an examination says.

    Attributes:
        agent: the bot's name.
        seat: the seat that it played.
        market: the market.
        kpi: the resolved KPI table.
        about: where the bot came from, and the market and KPI, line by line.
        gate: why it is no table, line by line; empty: it is one.
        rows: the table of matches, text by column.
        competence: what it makes of a market that others leave to it, line by line.
        findings: each flaw, whether it has it.
        kpi_words: the word for its KPI by match.
        exploits: what best responses to it gain.
        not_tested: what could not be tested and why, line by line.
        shares: of every match, what the bot is paid and what the best response is paid.
        answers: its answers to deviations, by match.
        table: its policy, float64 `[O, A]`; None: it is no table.
        notes: what must be said of every exam.
    """

    agent: str
    seat: str
    market: Market
    kpi: kpis.KpiTable
    about: tuple[str, ...]
    gate: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    competence: tuple[str, ...]
    findings: tuple[ExamFinding, ...]
    kpi_words: Mapping[str, Verdict]
    exploits: tuple[Exploit, ...]
    not_tested: tuple[str, ...]
    shares: Mapping[str, tuple[float, float]]
    answers: Mapping[str, Answers]
    table: PolicyTable | None
    notes: tuple[str, ...] = field(default=(DISCLAIMER,))

    @property
    def named(self) -> tuple[str, ...]:
        """The names of the flaws that it has."""
        return tuple(finding.name for finding in self.findings if finding.holds)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "agent": self.agent,
            "seat": self.seat,
            "market": self.market.name,
            "named": list(self.named),
            "findings": [finding.plain() for finding in self.findings],
            "KPI": {name: verdict.plain() for name, verdict in self.kpi_words.items()},
            "matches": [dict(row) for row in self.rows],
            "best_responses": [line.line() for line in self.exploits],
            "not_tested": list(self.not_tested),
            "gate": list(self.gate),
        }


def examine(
    arm: Arm,
    subject: Subject,
    step: Step,
    *,
    caps: Sequence[tuple[Cap, str]] = (),
    seeds: int = SEEDS,
    learned_seeds: int = 4,
) -> Exam:
    """Examine a bot.

    Args:
        arm: the market, the KPI and the learners.
        subject: the bot.
        step: told what is worked on.
        caps: action parts and their caps, and where each was found, in words.
        seeds: of every match without learners.
        learned_seeds: of the match against learners; 0: there is none.

    Raises:
        ConfigError: a cap fits no action, or the bot does something illegal.
    """
    about = (*subject.about, *_about(arm, subject))
    for cap, where in caps:
        about = (*about, f"cap: {cap[0]} at most {cap[1]:g}, by {where}")
    if subject.table is None:
        played = play_live(arm, subject, step)
        beside = play_learners(arm, subject, learned_seeds, step) if learned_seeds else NO_LEARNERS
        if isinstance(beside, PlayedMatch):
            played.append(beside)
        left_out = beside if isinstance(beside, str) else ""
        return _played_exam(arm, subject, about, played, left_out)
    matches = play_matches(arm, subject, seeds, learned_seeds, step)
    step("forced deviations")
    answers = all_answers(matches.played)
    step("words")
    found = findings(matches.played, [cap for cap, _ in caps], answers)
    step("best responses to it")
    against = exploits(matches.played[COMPETITIVE if COMPETITIVE in matches.played else ALONE])
    words = {
        name: matches.played[name].words[ITS_KPI]
        for name in (COMPETITIVE, ITSELF, ALONE)
        if name in matches.played and ITS_KPI in matches.played[name].words
    }
    return Exam(
        agent=subject.name,
        seat=subject.seat,
        market=arm.market,
        kpi=arm.kpi,
        about=about,
        gate=(),
        rows=tuple(_row(name, match) for name, match in matches.played.items()),
        competence=tuple(_competence(matches.played)),
        findings=tuple(found),
        kpi_words=words,
        exploits=tuple(against),
        not_tested=tuple(_not_tested(arm, matches.left_out, found, words)),
        shares={n: (m.own.mean, m.best.mean) for n, m in matches.played.items()},
        answers=answers,
        table=subject.table,
    )


def _about(arm: Arm, subject: Subject) -> Iterator[str]:
    market = arm.market
    yield f"market: {market.name}, {market.title}"
    yield f"seat: {subject.seat} {kpis.sentence(arm.kpi[subject.seat])}"


def _row(name: str, match: Match) -> dict[str, str]:
    """One line of the table of matches."""
    market = match.populations[0].market
    row = {
        "against": name,
        "is paid": number(match.own.mean),
        "best response": number(match.best.mean),
        "share": share_text(match.own.mean, match.best.mean),
        "found": "exactly" if match.exact else "learned",
        market.headline: number(match.headline.mean),
        "95 %": interval(match.headline),
        "n": str(len(match.populations)),
    }
    for behaviour, verdict in match.words.items():
        if behaviour in ("collusion", "claims"):
            row[behaviour] = verdict.word
    return row


def share_text(own: float, best: float) -> str:
    """What is earned as a share of what could be; a dash where the optimum is not above 0."""
    return number(own / best) if best > 0 else "-"


def _competence(matches: Mapping[str, Match]) -> Iterator[str]:
    """What it makes of a market in which the others are passive, and of honest others."""
    for name in (ALONE, COMPETITIVE):
        if (match := matches.get(name)) is not None:
            own, best = match.own.mean, match.best.mean
            yield (
                f"against {name}: is paid {number(own)} a round of {number(best)} that the best "
                f"response is paid: share {share_text(own, best)}"
            )


def _not_tested(
    arm: Arm,
    left_out: Sequence[str],
    found: Sequence[ExamFinding],
    words: Mapping[str, Verdict],
) -> Iterator[str]:
    """What the exam could not look at, a line each."""
    yield from left_out
    for finding in found:
        if finding.holds is None:
            yield f"{finding.name}: {finding.evidence[0]}"
    if not words:
        yield "KPI-made: the market has no regrets of single rounds here"
    reasons = (
        ("forced deviations", why_no_deviations(arm.market, arm.kpi)),
        ("claims", why_no_claims(arm.market, arm.kpi)),
    )
    yield from (f"{name}: {reason}" for name, reason in reasons if reason is not None)


def _played_exam(
    arm: Arm,
    subject: Subject,
    about: tuple[str, ...],
    played: Sequence[PlayedMatch],
    left_out: str,
) -> Exam:
    """The exam of a bot that is no table: rounds that were played, with intervals."""
    from .played import played_findings, played_rows

    return Exam(
        agent=subject.name,
        seat=subject.seat,
        market=arm.market,
        kpi=arm.kpi,
        about=about,
        gate=subject.gate,
        rows=tuple(played_rows(arm, played)),
        competence=(),
        findings=tuple(played_findings(arm, subject, played)),
        kpi_words={},
        exploits=(),
        not_tested=(
            "every exact probe (words of collusion, claims and KPI; best responses): does not "
            "apply: this agent remembers, or answers otherwise when asked again",
            *([left_out] if left_out else []),
        ),
        shares={},
        answers={},
        table=None,
    )
