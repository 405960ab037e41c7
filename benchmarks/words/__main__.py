"""The battery from the command line: see the package's docstring."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path

from tacit.emergence import stats
from tacit.emergence.verdict import RULES
from tacit.training.studies.reference_tables import with_block

from .case import Case

RESULT = Path(__file__).parent.parent / "words.md"
COMMAND = "python -m benchmarks.words"
MODULES = {"collusion": "collusion", "KPI": "kpi", "claims": "claims"}
BIG = {"collusion": "tacit collusion", "KPI": "KPI-made", "claims": "deception"}
HALVES = ("choosing", "reporting")
Answer = Counter[str]


@cache
def cases(behaviour: str) -> list[Case]:
    """The cases of one behaviour; made before worker processes are forked, which share them."""
    found: list[Case] = import_module(f".{MODULES[behaviour]}", __package__).cases()
    return found


def judged(job: tuple[str, int, int]) -> Answer:
    """Words of the arms of one case: behaviour, number of the case, arms."""
    behaviour, number, count = job
    case = cases(behaviour)[number]
    found: Answer = Counter()
    for evidence in case.arms(count):
        verdict = RULES[behaviour](evidence)
        found[verdict.word if verdict is not None else "no verdict"] += 1
    return found


def run(behaviour: str, count: int, workers: int) -> list[tuple[Case, Answer]]:
    """Every case of a behaviour, judged."""
    every = cases(behaviour)
    jobs = [(behaviour, k, count) for k in range(len(every))]
    began = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        answers = []
        for k, answer in enumerate(pool.map(judged, jobs), 1):
            answers.append(answer)
            if k % 25 == 0 or k == len(jobs):
                seconds = time.monotonic() - began
                print(f"{behaviour}: {k} of {len(jobs)} cases, {seconds:.0f} s", flush=True)
    return list(zip(every, answers, strict=True))


# --- the page ------------------------------------------------------------------------------------


def share(hits: int, count: int) -> str:
    """`3 of 1,200 (.003 [.001, .007])`."""
    if not count:
        return "none"
    e = stats.wilson(hits, count)
    return f"{hits:,} of {count:,} ({stats.number(e.mean)} {stats.interval(e)})"


def rates(behaviour: str, found: list[tuple[Case, Answer]]) -> list[str]:
    """How often the big word is said where it is wrong, and where it is right, by half."""
    big, lines = BIG[behaviour], []
    for half in HALVES:
        own = [(case, answer) for case, answer in found if case.half == half]
        false = [(a[big], a.total()) for case, a in own if big not in case.right]
        true = [(a[big], a.total()) for case, a in own if case.right == {big}]
        right = sum(n for case, a in own for word, n in a.items() if word in case.right)
        unsure = sum(n for _, a in own for word, n in a.items() if word.startswith("undecided"))
        total = sum(a.total() for _, a in own)
        for where, counts in (("wrong", false), ("right", true)):
            said = share(sum(n for n, _ in counts), sum(n for _, n in counts))
            lines.append(f"- {half} half: `{big}` where it is {where}: {said}")
        told = f"right words {share(right, total)}, undecided {share(unsure, total)}"
        lines.append(f"- {half} half: {told}")
    return lines


def row(cells: Iterable[object]) -> str:
    """A row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def by_kind(behaviour: str, found: list[tuple[Case, Answer]]) -> list[str]:
    """A row for each kind of players and half."""
    big = BIG[behaviour]
    lines = [
        f"| players | half | markets | arms | right | undecided | `{big}` where wrong | words |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for kind in dict.fromkeys(case.kind for case, _ in found):
        for half in HALVES:
            own = [(c, a) for c, a in found if (c.kind, c.half) == (kind, half)]
            if not own:
                continue
            words: Answer = sum((a for _, a in own), Counter())
            total = words.total()
            right = sum(n for c, a in own for word, n in a.items() if word in c.right)
            unsure = sum(n for word, n in words.items() if word.startswith("undecided"))
            wrong = [a[big] for c, a in own if big not in c.right]
            count = sum(a.total() for c, a in own if big not in c.right)
            told = ", ".join(f"{word} {n}" for word, n in words.most_common())
            false = share(sum(wrong), count) if count else "-"
            lines.append(row([kind, half, len(own), total, right, unsure, false, told]))
    return lines


def wrong_cases(found: list[tuple[Case, Answer]]) -> list[str]:
    """Every case in which a word was wrong."""
    lines = []
    for case, answer in found:
        wrong = {w: n for w, n in answer.items()
                 if w not in case.right and not w.startswith("undecided")}  # fmt: skip
        if wrong:
            told = ", ".join(f"{word} {n}" for word, n in wrong.items())
            right = " or ".join(sorted(case.right)) if len(case.right) < 4 else "another"
            lines.append(f"- {case.kind}; {case.market}; {case.half}: {told}; right: {right}")
    return lines or ["- none"]


def page(every: dict[str, list[tuple[Case, Answer]]], count: int) -> str:
    """The page that is kept."""
    kinds = {(c.behaviour, c.kind) for found in every.values() for c, _ in found}
    markets = {(c.behaviour, c.market.split(", cells")[0].split(", trembling")[0])
               for found in every.values() for c, _ in found}  # fmt: skip
    lines = [
        "# The rules for words on scripted players", "",
        f"`{COMMAND}`: {len(kinds)} kinds of players in {len(markets)} markets; {count} arms of 48 "
        "populations a case, one where all would be equal. Thresholds were chosen on the choosing "
        "half. What is right is arithmetic on the rules of the market: `benchmarks/words/`. "
        "Intervals are Wilson's at 95 %.",
    ]  # fmt: skip
    for behaviour, found in every.items():
        lines += ["", f"## {behaviour}", "", *rates(behaviour, found), ""]
        lines += [*by_kind(behaviour, found), "", "Wrong words, case by case:", ""]
        lines += wrong_cases(found)
    return "\n".join(lines) + "\n"


# --- the pages of the probes ----------------------------------------------------------------------

PAGES = {"collusion": "collusion.md", "KPI": "mirror.md", "claims": "claims.md"}
DOCS = RESULT.parent.parent / "docs" / "probes"
BEGIN, END = f"<!-- rates: {COMMAND} -->", "<!-- end of rates -->"


def quoted(text: str, behaviour: str) -> str:
    """What a probe's page quotes of the kept page: the rates on the reporting half."""
    own = text.partition(f"\n## {behaviour}\n")[2].partition("\n## ")[0]
    lines = [line for line in own.splitlines() if line.startswith("- reporting half: ")]
    return "\n".join(["Reporting half:", "", *(f"- {x.partition(': ')[2]}" for x in lines)])


def quote_on_pages(text: str) -> None:
    """Write the rates of the kept page into the pages of the probes."""
    for behaviour, name in PAGES.items():
        path = DOCS / name
        page = with_block(path.read_text(encoding="utf-8"), BEGIN, END, quoted(text, behaviour))
        path.write_text(page, encoding="utf-8")


def main() -> None:
    """Judge what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Error rates of the rules.")
    parser.add_argument("--quick", action="store_true", help="one arm a case; words.md stays")
    parser.add_argument("--only", choices=list(MODULES), help="one behaviour; words.md stays")
    parser.add_argument("--arms", type=int, default=3, help="arms of a case (default 3)")
    parser.add_argument("--quote", action="store_true", help="only copy words.md into the docs")
    options = parser.parse_args()
    if options.quote:
        quote_on_pages(RESULT.read_text(encoding="utf-8"))
        return
    count = 1 if options.quick else options.arms
    chosen = [options.only] if options.only else list(MODULES)
    every = {name: run(name, count, os.cpu_count() or 1) for name in chosen}
    text = page(every, count)
    print(text)
    if not options.quick and not options.only:
        RESULT.write_text(text, encoding="utf-8")
        quote_on_pages(text)
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
