"""A report of lint in lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from .report import (
    ArmReport,
    Harm,
    LintFinding,
    Patience,
    Repair,
    SeatReport,
    SeenPart,
    StableRange,
)

DISCLAIMER = (
    "Lint examines a simulated market before training; that it finds nothing does not mean that "
    "there is nothing."
)


def report_lines(report: ArmReport) -> list[str]:
    """The report, a line each, indented below the arm's name."""
    lines = [f"{report.arm} ({report.market}): {summary(report)}"]
    for seat in report.seats:
        lines += [f"  {line}" for line in _seat_lines(seat)]
    for finding in report.findings:
        lines += [f"  {line}" for line in _finding_lines(finding)]
    if report.stable is not None:
        lines.append(f"  stable play: {stable_words(report.stable)}")
    if report.patience is not None:
        lines.append(f"  patience: {patience_words(report.patience)}")
    lines += [f"  not examined: {line}" for line in report.not_examined]
    return lines


def known_ways(report: ArmReport) -> list[str]:
    """The findings, a text each, as the incentive card keeps them; then what was not examined."""
    lines = []
    for finding in report.findings:
        mechanism, *rest = (" ".join(line.split()) for line in _finding_lines(finding))
        lines.append("; ".join([mechanism.rstrip("."), *rest]))
    left_out = [f"not examined: {line}" for line in report.not_examined]
    return [*(lines or ["none found by tacit lint"]), *left_out]


def summary(report: ArmReport) -> str:
    """`2 findings: 1 high, 1 note`."""
    if not report.findings:
        return "no finding"
    counts = {f.severity: 0 for f in report.findings}
    for finding in report.findings:
        counts[finding.severity] += 1
    parts = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    total = len(report.findings)
    return f"{total} finding{'s' * (total > 1)}: {parts}"


def _seat_lines(seat: SeatReport) -> Iterator[str]:
    learns = "" if seat.learns else " (scripted: it does not follow its KPI)"
    yield f"{seat.owner} {seat.asks}{learns}"
    for term in seat.terms:
        if term.harmless is None:
            yield f"  term {term.name}: not examined, {term.reason}"
        elif term.harmless:
            yield f"  term {term.name}: changes no best reply ({term.reason})"
        elif term.residual is not None:
            left = f"{term.residual:.2g} of its size is left"
            yield f"  term {term.name}: can change best replies ({term.reason}: {left})"
    parts = [part for part in seat.sees if part.rounds_old is not None]
    shown = "; ".join(map(seen_words, parts)) or "no act of anybody"
    yield f"  sees: {shown}; uses rivals' data: {'yes' if seat.uses_rivals else 'no'}"


def seen_words(part: SeenPart) -> str:
    """`last_price: rivals and itself, 1 round old, public`."""
    whose = [
        word
        for word, holds in (
            ("rivals", part.rivals),
            ("other roles", part.others),
            ("itself", part.own_past),
        )
        if holds
    ]
    age = "this round" if not part.rounds_old else f"{part.rounds_old} round old"
    return f"{part.name}: {' and '.join(whose)}, {age}, {'public' if part.public else 'private'}"


def _finding_lines(finding: LintFinding) -> Iterator[str]:
    yield f"{finding.severity}: {finding.kind}: {finding.mechanism}"
    for harm in finding.harms:
        yield f"  costs {harm_words(harm)}"
    if finding.free is not None:
        for loser in finding.free.losers:
            share = "" if loser.share is None else f" ({percent(loser.share)})"
            counted = "counted by its KPI" if loser.counted else "counted by no KPI that is learned"
            lost = f"{loser.loss:.3g} {loser.unit} of {loser.measure}{share}"
            yield f"  costs {loser.owner} {lost}, {counted}"
    if finding.kind == "stable play":
        repair = finding.repair
        yield f"  smallest repair: {repair_words(repair) if repair else 'none of one weight found'}"


def harm_words(harm: Harm) -> str:
    """`.9 money of revenue (95 %): .05 to .95 instead of .95`."""
    share = "" if harm.share is None else f" ({percent(harm.share)})"
    return (
        f"up to {harm.amount:.3g} {harm.unit} of {harm.measure}{share}: "
        f"{range_words(harm.kpi)} instead of {range_words(harm.fundamentals)}"
    )


def repair_words(repair: Repair) -> str:
    """`price_change of bidder from -1 to -0.0278 (within 1e-06)`."""
    lacking = " (a term that it lacks)" if repair.missing else ""
    return (
        f"{repair.term} of {repair.owner} from {repair.weight:g} to {repair.to:.6g}{lacking}, "
        f"within {repair.within:.1g}"
    )


def stable_words(stable: StableRange) -> str:
    """The headline under the KPIs beside the fundamentals, and how it was found."""
    return (
        f"{stable.measure} {range_words(stable.kpi)} ({stable.kpi_count}) under the KPIs, "
        f"{range_words(stable.fundamentals)} ({stable.fundamentals_count}) under the fundamentals; "
        f"found by {stable.method}"
    )


def patience_words(patience: Patience) -> str:
    """What one-round best replies leave on the table."""
    if not patience.of:
        return f"{patience.words}: no KPI looks back, so a plan gains nothing if others repeat"
    kept = "" if patience.range is None else f", {range_words(patience.range)}"
    return (
        f"{patience.words}: a plan at discount {patience.discount:g} gains up to "
        f"{patience.gain:.3g} a round; it keeps {patience.stable} of {patience.of} stable "
        f"profiles{kept}"
    )


def range_words(ends: tuple[float, float]) -> str:
    """`.05 to .95`, or one number."""
    low, high = (f"{x:.3g}" for x in ends)
    return low if low == high else f"{low} to {high}"


def percent(share: float) -> str:
    """A share as `95 %`."""
    return f"{100 * share:.3g} %"
