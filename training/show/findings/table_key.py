"""The key below the table of a comparison: every column and word in one plain sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from tacit.emergence.terms import COLUMNS, DERIVED
from tacit.emergence.words import key_lines
from tacit.envs.market import Market
from tacit.training.studies.compare import HARM, OWN_LOSS, ArmRow

LINE = 100  # characters


def table_key(rows: Sequence[ArmRow], measure: str, market: Market) -> Iterator[str]:
    """Lines below a table: the measure with its unit, columns, the words of its verdicts.

    Args:
        rows: of the table.
        measure: what is compared.
        market: of the first arm.
    """
    beside = "[low, high] beside a mean is its 95 % interval over n repetitions"
    yield _wrapped(f"{measure}: {measure_text(measure, market)}; {beside}")
    columns = dict.fromkeys(column for row in rows for column in row.brief)
    for column, name in ((OWN_LOSS, OWN_LOSS), (HARM, "harm")):
        if column in columns:
            unit, meaning = COLUMNS[name]
            yield _wrapped(f"{name}: {meaning} ({unit})")
    for line in key_lines(word for row in rows for word in row.words):
        yield _wrapped(line)


def measure_text(name: str, market: Market) -> str:
    """What a measure is, with its unit; a seat's own is told as the measure."""
    plain, _, seat = name.partition("/")
    whose = f"of {seat}: " * bool(seat)
    for measure in market.measures:
        if measure.name == plain:
            return f"{whose}{measure.meaning} ({measure.unit})"
    derived = {**DERIVED, **market.derived_meanings}
    unit, meaning = derived.get(name, derived.get(plain, ("", "a figure; see tacit explain")))
    return f"{whose}{meaning}" + f" ({unit})" * bool(unit)


def _wrapped(line: str) -> str:
    return fill(line, LINE, subsequent_indent="  ", break_on_hyphens=False)
