"""All fuzzers, and the table of docs/reliability.md: `python tests/fuzz`.

python tests/fuzz                      as many trials as the page says; ten minutes
python tests/fuzz configs              only this one; the page stays
python tests/fuzz tables --seed 17     the trial of one seed alone, as a failure names it
python tests/fuzz --quick              a fiftieth of all; the page stays
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from fuzz import commands, configs, tables  # noqa: E402
from fuzz.trial import Outcome  # noqa: E402

from tacit.training.studies.reference_tables import with_block  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fuzzed: python tests/fuzz -->", "<!-- end of fuzzed -->"
# Each fuzzer, and how many trials of it make the page.
FUZZERS: dict[str, tuple[Callable[[Path, int, int], list[Outcome]], int]] = {
    "configs": (configs.configs, 5_000),
    "commands": (commands.commands, 1_000),
    "tables": (tables.tables, 1_000),
}
QUICK = 50


def table(outcomes: list[Outcome]) -> str:
    """Outcomes as Markdown."""
    lines = [
        "| varied | what must come of it | trials | came of it | otherwise |",
        "|---" * 5 + "|",
    ]
    lines += [
        f"| {o.name} | {o.expected} | {o.trials:,} | {o.told} | {len(o.failures)} |"
        for o in outcomes
    ]
    return "\n".join(lines)


def main() -> None:
    """Run what was asked for, print it, write the page if it was everything."""
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FUZZERS, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the trials")
    parser.add_argument("--seed", type=int, help="this trial alone")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    for name in options.names or FUZZERS:
        fuzzer, count = FUZZERS[name]
        first = 0
        if options.seed is not None:
            first, count = options.seed, 1
        elif options.quick:
            count //= QUICK
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = fuzzer(Path(folder), count, first)
        outcomes += found
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        for outcome in found:
            for failure in outcome.failures:
                print(f"  {outcome.name}: {failure}", flush=True)
    print(table(outcomes))
    if not options.names and not options.quick and options.seed is None:
        page = with_block(PAGE.read_text(encoding="utf-8"), BEGIN, END, table(outcomes))
        PAGE.write_text(page, encoding="utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}")
    if any(outcome.failures for outcome in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
