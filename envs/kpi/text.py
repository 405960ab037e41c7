"""KPIs in words, for tables, TensorBoard and the command line."""

from __future__ import annotations

from collections.abc import Mapping

from .table import Term

SCOPE_WORDS = {
    "own": "its own",
    "rivals": "its rivals' mean",
    "role": "its role's mean",
    "market": "the market's mean",
}


def sentence(terms: Mapping[str, Term]) -> str:
    """A seat's KPI as the end of a sentence: `is paid 1 x its own profit, less ...`."""
    paid: list[str] = []
    monitored: list[str] = []
    for name, term in terms.items():
        what = _term_in_words(name, term)
        if term.weight == 0:
            monitored.append(what)
        else:
            sign = "less " if term.weight < 0 else "plus " if paid else ""
            paid.append(f"{sign}{abs(term.weight):g} x {what}")
    text = f"is paid {', '.join(paid)}" if paid else "is paid nothing"
    return text + (f"; monitored at weight 0: {', '.join(monitored)}" if monitored else "") + "."


def _term_in_words(name: str, term: Term) -> str:
    """A term without its weight: `its own fill short of 0.9`."""
    transform = {
        "value": "",
        "absolute": " (absolute)",
        "square": " (squared)",
        "above": f" above {term.threshold}",
        "below": f" short of {term.threshold}",
    }[term.transform]
    alias = "" if name == term.measure else f" (called {name})"
    scope = SCOPE_WORDS.get(term.scope, f"{term.scope}'s")
    return f"{scope} {term.measure}{transform}{alias}"


def label(terms: Mapping[str, Term]) -> str:
    """A seat's KPI in a table's cell: `profit 1, price_change -1`."""
    shown = []
    for name, term in terms.items():
        extra = [x for x in (term.transform, term.scope) if x not in ("value", "own")]
        shown.append(f"{name} {term.weight:g}" + (f" ({', '.join(extra)})" if extra else ""))
    return ", ".join(shown) or "none"
