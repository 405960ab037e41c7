"""`tacit explain`: every word of a verdict, measure, probe, figure and column, in plain sentences.

The texts are those of the declarations; nothing is told here that is not declared there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from textwrap import fill

from tacit.emergence.registry import CONTROLS, PROBES, Control, Probe
from tacit.emergence.terms import COLUMNS, DERIVED
from tacit.emergence.words import WORDS_BY_NAME, Word
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.registry import MARKETS, market_class
from tacit.training.show.listing import listed_names

LINE = 100  # characters
BETTER = {1: "more is better", -1: "less is better", 0: ""}
# behaviour -> its page, and the module with its rule
PAGES = {
    "collusion": ("docs/probes/collusion.md", "emergence/collusion/verdict.py"),
    "sharing": ("docs/probes/collusion.md", "emergence/collusion/sharing_word.py"),
    "KPI": ("docs/probes/mirror.md", "emergence/objective/verdict.py"),
    "claims": ("docs/probes/claims.md", "emergence/claims/rule.py"),
    "coalition": ("docs/probes/coalitions.md", "emergence/coalition/verdict.py"),
    "inheritance": ("docs/probes/inheritance.md", "emergence/anchored/rule.py"),
    "adoption": ("docs/probes/adoption.md", "emergence/adoption/rule.py"),
    "every rule": ("docs/words.md", "emergence/evidence.py"),
}
WORDS, PROBE_NAMES, COLUMN_NAMES = "words of verdicts", "probes", "columns of tables"
MEASURES, FIGURES = "measures", "figures of probes"
RULES = "rules for words"


@dataclass(frozen=True)
class Entry:
    """What one name means in one place.

    Attributes:
        name: the name.
        group: the heading under which it is listed.
        lines: what is told of it; the first says what kind of name it is.
    """

    name: str
    group: str
    lines: tuple[str, ...]


def explain(name: str) -> list[str]:
    """Lines about a name; several entries where it means several things.

    Raises:
        ConfigError: nothing has this name; the message has the nearest.
    """
    found: list[Entry] = []
    # A seat's own figure is explained as the figure: `profit/bidder_0`.
    for wanted in (name, name.partition(" at n = ")[0], name.partition("/")[0]):
        found = found or [entry for entry in _entries() if _keys(wanted) & _asked_by(entry)]
    if not found:
        names = {entry.name.rstrip("/"): None for entry in _entries()}
        advice = nearest(name, names)
        if name in listed_names():
            advice = f"tacit list {name} describes it."
        elif not advice.startswith("Did"):
            advice = (
                "tacit explain lists what has a meaning, docs/glossary.md other words of tacit."
            )
        raise ConfigError(f"WORD: nothing is called '{name}'. {advice}")
    return [line for entry in found for line in _wrapped(entry)]


def names() -> Iterator[str]:
    """Lines that list every name, by kind."""
    for group in (WORDS, RULES, COLUMN_NAMES, MEASURES, PROBE_NAMES, FIGURES):
        own = dict.fromkeys(e.name.rstrip("/") for e in _entries() if e.group == group)
        separator = "; " if group == WORDS else ", "
        text = f"{group}: {separator.join(own)}"
        yield fill(text, LINE, subsequent_indent="  ", break_on_hyphens=False)


def _keys(name: str) -> set[str]:
    """A name as it may be typed."""
    plain = name.strip().rstrip("/").lower()
    return {plain, plain.replace("_", " ").replace("-", " ")}


def _asked_by(entry: Entry) -> set[str]:
    """What an entry may be asked by: its name, and of a word the short one."""
    if entry.group == WORDS and (word := WORDS_BY_NAME[entry.name]).behaviour != "every rule":
        return _keys(entry.name) | _keys(word.short)
    return _keys(entry.name)


def _wrapped(entry: Entry) -> list[str]:
    head, *others = entry.lines
    lines = [f"{entry.name.rstrip('/')}: {head}"]
    lines += [
        fill(f"  {line}", LINE, subsequent_indent="    ", break_on_hyphens=False) for line in others
    ]
    return lines


@cache
def _entries() -> tuple[Entry, ...]:
    words = map(_of_word, WORDS_BY_NAME.values())
    return (*words, *_of_rules(), *_of_columns(), *_of_measures(), *_of_probes())


def _of_word(word: Word) -> Entry:
    beside = word.behaviour.startswith("beside ")
    behaviour = word.behaviour.removeprefix("beside ")
    kind = f"stands beside a word about {behaviour}" if beside else f"a word about {behaviour}"
    if word.behaviour == "sharing":
        kind = "stands beside a word about collusion: how the gain is shared"
    elif word.behaviour == "every rule":
        kind = "a word of every rule"
    lines = [kind, f"means: {word.means}."]
    if word.not_means:
        lines.append(f"does not mean: {word.not_means}.")
    if word.short != word.name:
        lines.append(f"in narrow tables: {word.short}")
    page, rule = PAGES[behaviour]
    return Entry(word.name, WORDS, (*lines, f"rule: {rule}; page: {page}"))


def _of_rules() -> Iterator[Entry]:
    """A behaviour that has words of its own: which these are, and where they are decided."""
    for behaviour, (page, rule) in PAGES.items():
        own = [word.name for word in WORDS_BY_NAME.values() if word.behaviour == behaviour]
        if behaviour != "every rule":
            words = f"its words: {'; '.join(own)}"
            yield Entry(
                behaviour, RULES, ("a rule for words", words, f"rule: {rule}; page: {page}")
            )


def _of_columns() -> Iterator[Entry]:
    for name, (unit, meaning) in COLUMNS.items():
        yield Entry(name, COLUMN_NAMES, ("a column of tables", _with_unit(meaning, unit)))


def _of_measures() -> Iterator[Entry]:
    for market in MARKETS:
        for measure in market_class(market).measures:
            text = _with_unit(measure.meaning, measure.unit, BETTER[measure.sign])
            whose = f"of: {', '.join(measure.roles)}; page: docs/markets/{market}.md"
            yield Entry(measure.name, MEASURES, (f"a measure of {market}", text, whose))
        for name, (unit, meaning) in market_class(market).derived_meanings.items():
            yield Entry(name, MEASURES, (f"a figure of {market}", _with_unit(meaning, unit)))
    for name, (unit, meaning) in DERIVED.items():
        yield Entry(name, MEASURES, ("a figure of summaries", _with_unit(meaning, unit)))


def _of_probes() -> Iterator[Entry]:
    every: list[Probe | Control] = [*PROBES.values(), *CONTROLS.values()]
    for probe in every:
        reports = [f"reports {probe.reports}."] if probe.reports else []
        figures = ", ".join(dict.fromkeys(name.rstrip("/") for name in probe.figures))
        yield Entry(probe.name, PROBE_NAMES, ("a probe", *reports, f"figures: {figures}"))
    for probe in every:
        for name, meaning in probe.figures.items():
            one_each = "one a seat, claim or measure: " if name.endswith("/") else ""
            lines = (f"a figure of the probe {probe.name}", f"{one_each}{meaning}.")
            yield Entry(name, FIGURES, lines)


def _with_unit(meaning: str, unit: str, better: str = "") -> str:
    beside = "; ".join(part for part in (f"unit: {unit}" * bool(unit), better) if part)
    return f"{meaning}." + f" ({beside})" * bool(beside)
