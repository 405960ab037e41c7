"""An exam in plain text, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from tacit.emergence.objective.verdict import KPI_MADE, LEARNED, ROUND_BY_ROUND

from .examine import Exam
from .findings import ExamFinding

KPI_GLOSS = {
    KPI_MADE: "a best reply to the KPI would do the same",
    ROUND_BY_ROUND: "every step is a best reply to the KPI; a patient agent would do otherwise",
    LEARNED: "the KPI does not ask for this play: it is the bot's own",
}
HOLDS = {True: "YES", False: "no", None: "not tested"}


def head_lines(exam: Exam) -> Iterator[str]:
    """Who was examined, and what was found, in a few lines."""
    yield f"{exam.agent} as {exam.seat} of {exam.market.name}"
    yield from (f"  {line}" for line in exam.about)
    if exam.gate:
        yield "It is no table, so it was played; every figure has an interval:"
        yield from (f"  {line}" for line in exam.gate)
    named = ", ".join(exam.named)
    yield f"found: {named}" if named else "found: none of the flaws that were tested"


def finding_lines(exam: Exam) -> Iterator[str]:
    """Every finding with its evidence."""
    for finding in exam.findings:
        yield finding_line(finding)
        yield from (f"    {line}" for line in finding.evidence)


def finding_line(finding: ExamFinding) -> str:
    """One finding in a line."""
    word = f" ({finding.word})" if finding.word else ""
    return f"  {finding.name}: {HOLDS[finding.holds]}{word}"


def kpi_text(word: str) -> str:
    """The word for the KPI, and what it means of a bot."""
    return f"{word} ({KPI_GLOSS[word]})" if word in KPI_GLOSS else word


def rest_lines(exam: Exam) -> Iterator[str]:
    """Competence, best responses, the word for the KPI, and what was not tested."""
    if exam.competence:
        yield "competence"
        yield from (f"  {line}" for line in exam.competence)
    if exam.exploits:
        yield "what a best response to it gains"
        yield from (f"  {line.line()}" for line in exam.exploits)
    if exam.kpi_words:
        yield "is it the KPI, or the bot?"
        for name, verdict in exam.kpi_words.items():
            yield f"  against {name}: {kpi_text(verdict.word)}"
            yield from (f"    {line}" for line in verdict.qualifiers)
            yield f"    {verdict.evidence[-1]}"  # what decided; the page has the rest
    if exam.not_tested:
        yield "not tested"
        yield from (f"  {line}" for line in exam.not_tested)
    yield from exam.notes
