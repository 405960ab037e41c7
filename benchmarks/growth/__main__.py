"""What a run costs as it grows: `python -m benchmarks.growth [rounds] [phases] [updates] [probes]
[serial]`.

Writes the tables of `docs/performance.md`: rounds and memory as a market, its copies and networks
grow, and where the transition table stops; rounds of several phases; updates of policy tables;
probes against states; the serial share of the demo. Beside each figure stands what the formula of
`tacit train --show` says. Five minutes of one core; words choose parts. `serial seeds=8` trains
fewer seeds, and writes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.engine import machine
from tacit.agents.tabular.lookup.shared_tables import MOST_CELLS

from .phases import phase_times
from .probes import probe_times
from .rounds import measured, networks
from .serial import WORKERS, Serial, serial_share
from .updates import update_times

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        lines.append("| " + " | ".join(row) + " |")
        print(lines[-1], flush=True)
    return lines


def rounds_part() -> list[str]:
    """Rounds and memory of learners of tables and of networks."""
    head = (
        "grows", "to", "market", "observations", "million rounds/s", "ns a round",
        "formula, ns", "looked up", "cells", "MB a seed",
    )  # fmt: skip
    tabular = table(head, _tabular_rows())
    neural = table(
        ("PPO in both seats", "agent-steps an update", "µs an agent-step", "formula"),
        ([name, f"{steps:,}", f"{us:.2f}", f"{said:.2f}"] for name, steps, us, said in networks()),
    )
    return [*tabular, "", *neural]


def _tabular_rows() -> Iterator[list[str]]:
    for m in measured():
        market, train = m.arm.market, m.arm.train
        cost = m.estimate
        assert cost.rounds is not None
        said = 1e9 * cost.rounds / (train.rounds * train.copies)
        yield [
            m.setting.axis, m.setting.value, m.setting.market,
            f"{max(r.observations for r in market.roles):,}", f"{1e3 / m.nanoseconds:.1f}",
            f"{m.nanoseconds:.0f}", f"{said:.0f}", "yes" if m.looked_up else "no",
            f"{m.cells:,}" if m.cells else "-", f"{m.memory / 1e6:.2g}",
        ]  # fmt: skip


def phases_part() -> list[str]:
    """Rounds of several phases, looked up and played."""
    return table(
        (
            "experiment", "arm", "market", "cells", "looked up, ns a round", "formula, ns",
            "played, ns", "ratio",
        ),
        (
            [
                each.experiment, each.arm, each.market, f"{each.cells:,}", f"{each.looked_up:.0f}",
                f"{each.estimate:.0f}", f"{each.played:.0f}", f"{each.played / each.looked_up:.1f}",
            ]
            for each in phase_times()
        ),
    )  # fmt: skip


def updates_part() -> list[str]:
    """Updates of policy tables by gradient, many in one call and one by one."""
    return table(
        ("copies", "in one call, µs", "one by one, µs", "ratio"),
        (
            [f"{copies:,}", f"{once:.0f}", f"{single:.0f}", f"{single / once:.2f}"]
            for copies, once, single in update_times()
        ),
    )


def probes_part() -> list[str]:
    """Probes against states."""
    found = [*probe_times()]
    names = list(dict.fromkeys(name for _, _, each, _ in found for name in each))
    head = ["ms a seed", *(f"{what} ({count:,} states)" for what, count, _, _ in found)]

    def rows() -> Iterator[list[str]]:
        for name in names:
            yield [name, *(f"{e[name]:.1f}" if name in e else "-" for _, _, e, _ in found)]
        yield ["**all**", *(f"**{sum(each.values()):.0f}**" for _, _, each, _ in found)]
        yield ["formula", *(f"{said:.0f}" for _, _, _, said in found)]

    return table(head, rows())


def serial_part(settings: list[str]) -> list[str]:
    """The serial share of the demo."""
    own: Serial = serial_share(settings)

    def rows() -> Iterator[list[str]]:
        yield ["seeds", f"{own.seeds:,}", ""]
        for what, seconds in (
            ("the process that holds the run, one thread at a time", own.own),
            (f"its {WORKERS} workers, and the process that draws plots", own.others),
        ):
            yield [what, f"{seconds:.1f}", f"{1e3 * seconds / own.seeds:.0f} ms"]
        for workers in (1, 2, 4, 8):
            least = own.floor(workers)
            yield [f"floor, {workers} worker{'s' * (workers > 1)}", f"{least:.1f}", ""]

    return table(("CPU-seconds", "all", "a seed"), rows())


PARTS: dict[str, Callable[[list[str]], list[str]]] = {
    "rounds": lambda _: rounds_part(),
    "phases": lambda _: phases_part(),
    "updates": lambda _: updates_part(),
    "probes": lambda _: probes_part(),
    "serial": serial_part,
}


def replaced(text: str, part: str, lines: Sequence[str]) -> str:
    """The page with another table in the place of a part."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return "\n".join([before + begin, "", *lines, "", end + after])


def main(words: list[str]) -> None:
    """Measure the parts that are named, all by default."""
    settings = [word for word in words if "=" in word]
    chosen = [word for word in words if "=" not in word] or list(PARTS)
    if unknown := sorted(set(chosen) - set(PARTS)):
        sys.exit(f"{unknown[0]}: is none of {', '.join(PARTS)}")
    for part in chosen:
        lines = PARTS[part](settings)
        if part == "rounds":
            lines += ["", f"A table has at most {MOST_CELLS:,} cells."]
        if settings:
            continue
        where = machine()
        if part == "serial":
            where = where.replace("one used", f"{WORKERS} used")
        lines = [f"{where}.", "", *lines]
        PAGE.write_text(replaced(PAGE.read_text("utf-8"), part, lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
