"""All attacks on run folders, and the table of docs/reliability.md: `python tests/attack`.

python tests/attack                    all of them, as often as the page says; half an hour
python tests/attack flips races        only these; the page stays
python tests/attack --quick            a few trials of each; the page stays
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from attack import disks, flips, folders, inputs, kills, races, stops  # noqa: E402
from attack.trial import Attack, Outcome  # noqa: E402

from tacit.training.studies.reference_tables import with_block  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- trials: python tests/attack -->", "<!-- end of trials -->"
# Each attack, and how many trials of it make the page and a quick look.
ATTACKS: dict[str, tuple[Attack, int, int]] = {
    "flips": (flips.flips, 2_000, 200),
    "inputs": (inputs.inputs, 1, 1),
    "folders": (folders.folders, 1_000, 12),
    "races": (races.races, 51, 3),
    "stops": (stops.stops, 24, 4),
    "disks": (disks.disks, 60, 6),
    "kills": (kills.kills, 200, 8),
}


def run(name: str, count: int) -> list[Outcome]:
    """One attack in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return ATTACKS[name][0](Path(folder), count)


def table(outcomes: list[Outcome]) -> str:
    """Outcomes as Markdown."""
    lines = ["| attack | what must come of it | trials | otherwise |", "|---|---|---|---|"]
    lines += [f"| {o.attack} | {o.expected} | {o.trials:,} | {len(o.failures)} |" for o in outcomes]
    return "\n".join(lines)


def main() -> None:
    """Run what was asked for, print it, write the page if it was everything."""
    parser = argparse.ArgumentParser(prog="python tests/attack", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ATTACKS, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="a few trials of each")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    for name in options.names or ATTACKS:
        began = time.monotonic()
        found = run(name, ATTACKS[name][2 if options.quick else 1])
        outcomes += found
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        for outcome in found:
            for failure in outcome.failures:
                print(f"  {outcome.attack}: {failure}", flush=True)
    print(table(outcomes))
    if not options.names and not options.quick:
        page = with_block(PAGE.read_text(encoding="utf-8"), BEGIN, END, table(outcomes))
        PAGE.write_text(page, encoding="utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}")
    if any(outcome.failures for outcome in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
