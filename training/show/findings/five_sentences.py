"""What a run found, in five sentences for somebody who has no time for tables.

All are made of the measured numbers: who learned, what it did to the market's headline measure,
whether a KPI costs its own firm money, who else loses, and which words the rules give. Each says
what is not decided. A difference or a loss is said to be there only if its 95 % interval excludes
0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

from tacit.emergence.evidence import MIN_SEEDS
from tacit.emergence.objective.own_firm_loss import LOSS, SHARE
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.market import Market
from tacit.training.config.arms import Arm
from tacit.training.studies.compare import HARM, ArmRow

LINE = 100  # characters
BESIDE = "Beside agents that look after their own profit, round by round"
MOST = 4  # arms that are named at most in one place


def five_sentences(arms: Mapping[str, Arm], rows: Sequence[ArmRow], measure: str) -> list[str]:
    """Five numbered sentences, wrapped.

    Args:
        arms: of the rows, by name.
        rows: of a comparison with their numbers, the first arm first.
        measure: that was compared.
    """
    found = (
        _who_learned(list(arms.values()), rows),
        _what_it_did(rows, _with_unit(measure, next(iter(arms.values())).market)),
        _own_firm(rows),
        _who_loses(rows),
        _words(rows),
    )
    return [
        fill(f"{k}. {text}", LINE, subsequent_indent="   ", break_on_hyphens=False)
        for k, text in enumerate(found, 1)
    ]


def _who_learned(arms: Sequence[Arm], rows: Sequence[ArmRow]) -> str:
    market = arms[0].market
    learners = [
        f"{count} {role.name}{'s' * (count > 1)}"
        for role in market.roles
        if (count := sum(own and seat.role is role for seat, own in _seats(arms[0])))
    ]
    who = " and ".join(learners) or "Nobody"
    rounds = _span([arm.train.rounds for arm in arms])
    times = _span([row.numbers["n"] for row in rows if "n" in row.numbers])
    under = f"each of {len(rows)} arms" if len(rows) > 1 else "one arm"
    return f"{who} learned in {market.name} for {rounds} rounds, {times} times over, under {under}."


def _seats(arm: Arm) -> Iterable[tuple[Any, bool]]:
    return zip(arm.market.seats, arm.learned, strict=True)


def _what_it_did(rows: Sequence[ArmRow], title: str) -> str:
    measured = [row for row in rows if "mean" in row.numbers]
    if not measured or measured[0] is not rows[0]:
        return f"The {title} is not defined in every repetition, so nothing is said of it."
    first = rows[0]
    text = f"The {title} is {_told(first, '')} under {_name(first)}"
    others = [row for row in measured if "difference" in row.numbers]
    if not others:
        return f"{text}."
    parts = []
    for word, sign in (("lower", -1), ("higher", 1)):
        shown = [row for row in others if _excludes(row, sign)]
        if shown:
            most = max(shown, key=lambda row: sign * row.numbers["difference"])
            by = _told(most, "difference", signed=True)
            parts.append(f"{word} under {_names(shown)} (most under {_name(most)}: {by})"
                         if len(shown) > 1 else f"{word} under {_name(most)} ({by})")  # fmt: skip
    same = [row for row in others if not _excludes(row, -1) and not _excludes(row, 1)]
    if same:
        parts.append(f"not shown to differ under {_names(same)}")
    return f"{text}; against that it is {'; '.join(parts)}."


def _own_firm(rows: Sequence[ArmRow]) -> str:
    known = [row for row in rows if LOSS in row.numbers]
    if not known:
        return "Whether a KPI costs its own firm money is not measured here."
    none = [row for row in known if row.numbers[LOSS] == 0]
    costs = sorted(
        (row for row in known if row.numbers[f"{LOSS}_low"] > 0), key=lambda row: -row.numbers[LOSS]
    )
    unclear = [row for row in known if row not in none and row not in costs]
    unknown = [row for row in rows if row not in known]
    parts = [f"{_told(row, LOSS)} a round{_share(row)} under {_name(row)}" for row in costs[:MOST]]
    parts += [f"less under {_names(costs[MOST:])}"] if costs[MOST:] else []
    parts += [f"nothing under {_names(none)}"] if none else []
    parts += [f"undecided under {_names(unclear)}"] if unclear else []
    parts += [f"not measured under {_names(unknown)}"] if unknown else []
    return f"What following its KPI costs a firm itself: {'; '.join(parts)}."


def _share(row: ArmRow) -> str:
    share = row.numbers.get(SHARE)
    return "" if share is None else f" ({share:.0%} of what it would earn)"


def _who_loses(rows: Sequence[ArmRow]) -> str:
    known = [row for row in rows if HARM in row.cells]
    unknown = [row for row in rows if row not in known]
    if not known:
        return f"{BESIDE}: what is lost is not measured here."
    shown = [row for row in known if row.cells[HARM] != "-"]
    parts = []
    if shown:
        most = max(shown, key=lambda row: row.numbers["harm"])
        whole, by_kpi, learning = (
            number(most.numbers[key]) for key in ("harm", "harm_by_kpi", "harm_by_learning")
        )
        parts.append(
            f"most is lost under {_name(most)}, where {_title(most.numbers['harm_in'])} is {whole} "
            f"a round lower, {by_kpi} of it by the KPI alone and {learning} by what agents learned"
        )
        less = [row for row in shown if row is not most]
        parts += [f"less under {_names(less)}"] if less else []
    others = [row for row in known if row not in shown]
    parts += [f"no loss is shown under {_names(others)}"] if others else []
    parts += [f"not measured under {_names(unknown)}"] if unknown else []
    return f"{BESIDE}: {'; '.join(parts)}."


def _words(rows: Sequence[ArmRow]) -> str:
    few = [row for row in rows if row.numbers.get("n", MIN_SEEDS) < MIN_SEEDS]
    by_word: dict[str, list[ArmRow]] = {}
    for row in rows:
        for word in row.words:
            by_word.setdefault(word, []).append(row)
    undecided = by_word.pop("undecided", [])
    if not by_word and not undecided:
        return "No rule for a word applies here."
    parts = [f'"{word}" of {_names(own)}' for word, own in by_word.items()]
    text = f"The written rules say {'; '.join(parts)}" if parts else "The written rules say no word"
    if undecided:
        text += f"; undecided: {_names(undecided)}" if parts else f" of {_names(undecided)}"
    if few:
        fewest = min(row.numbers["n"] for row in few)
        text += f" (most words need {MIN_SEEDS} repetitions, here are {fewest})"
    return f"{text}; no word is a legal finding."


# --- parts of sentences ---------------------------------------------------------------------------


def _name(row: ArmRow) -> str:
    return str(row.numbers["arm"])


def _names(rows: Iterable[ArmRow]) -> str:
    names = [_name(row) for row in rows]
    shown = names if len(names) <= MOST else [*names[: MOST - 1], f"{len(names) - MOST + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _excludes(row: ArmRow, sign: int) -> bool:
    """Whether the interval of the difference lies wholly on one side of 0."""
    ends = row.numbers["difference_low"], row.numbers["difference_high"]
    return all(sign * end > 0 for end in ends)


def _told(row: ArmRow, name: str, signed: bool = False) -> str:
    """A number with its interval: `.025 [.015, .034]`."""
    mean, low, high = (
        row.numbers[key]
        for key in (
            (name or "mean"), f"{name}_low" if name else "low", f"{name}_high" if name else "high",
        )
    )  # fmt: skip
    plus = "+" if signed and mean > 0 else ""
    return f"{plus}{number(mean)} {interval(Estimate(mean, low, high, row.numbers['n']))}"


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _with_unit(measure: str, market: Market) -> str:
    """`clearing price (money)`."""
    units = {own.name: own.unit for own in market.measures}
    unit = units.get(measure.partition("/")[0], "")
    return _title(measure) + f" ({unit})" * bool(unit)


def _title(measure: str) -> str:
    """`clearing price` for `clearing_price`; a seat's number stays attached."""
    plain, _, seat = measure.partition("/")
    return plain.replace("_", " ") + f" of {seat}" * bool(seat)
