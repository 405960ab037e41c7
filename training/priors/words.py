"""Priors and counts as tables of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tacit.agents.prior import PriorFile
from tacit.agents.prior.prior_table import PriorTable
from tacit.emergence.stats import interval, number, wilson
from tacit.training.show.policy_table_text import MOST_LINES, table_lines
from tacit.training.show.terminal import TextTable

from .human_claims import HumanClaims


def count_rows(counts: HumanClaims) -> TextTable:
    """What was counted: share, 95 % interval, n."""
    rows = []
    for what, count in counts.rows():
        share = wilson(*count)
        rows.append({"counted": what, "share": f"{number(share.mean)} {interval(share)}",
                     "count": f"{count[0]:,}", "n": f"{count[1]:,}"})  # fmt: skip
    return TextTable(rows)


def prior_lines(prior: PriorFile) -> Iterator[str | TextTable]:
    """A prior in detail: figures, assumptions, sources."""
    yield f"{prior.title} ({prior.market}, {prior.role})"
    yield ""
    yield TextTable([
        {
            "figure": key.removeprefix("figures."),
            "share": f"{number(f.value)} [{number(f.low)}, {number(f.high)}]",
            "n": f"{f.n:,}",
            "source": f.source,
            "counted": f.meaning,
        }
        for key, f in prior.every_figure()
    ])  # fmt: skip
    yield ""
    assumed = ", ".join(f"{name} {word}" for name, word in prior.assumptions.items())
    yield f"assumed, not from data: {assumed or 'nothing'}"
    for name, source in prior.sources.items():
        file = f"; {source.file}, SHA-256 {source.sha256[:12]}..." if source.file else ""
        terms = f"{source.licence}; {source.changes}{file}"
        yield f"{name}: {source.citation}. {source.address}. {terms}"


def seat_lines(found: PriorTable, seat: str) -> Iterator[str]:
    """What a prior does in a seat."""
    yield f"{seat}, {found.summary()}"
    if found.zeros:
        yield f"legal actions without mass: {found.zeros:,} (smoothing gives them some)"
    lines = table_lines(found.role, found.table)
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  ... and {len(lines) - MOST_LINES:,} more lines"
