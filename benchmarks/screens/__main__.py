"""How often screens fire on honest and on arranged tenders: `python -m benchmarks.screens`.

Writes the table of docs/commands/screen.md. Each row is a market whose tenders are simulated many
times; bids are a tender's size times what a bidder draws. Sizes are lognormal with sd 2, so the
highest of a hundred is some ten thousand times the lowest; nobody tells the screens how large a
tender is. `--files N`: so many files a row, and the page stays.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tacit.emergence.screens.survey import survey
from tacit.emergence.screens.tenders import BidsBySize
from tacit.envs.types import Floats
from tacit.training.studies.reference_tables import with_block

PAGE = Path(__file__).parents[2] / "docs" / "commands" / "screen.md"
BEGIN, END = "<!-- rates: python -m benchmarks.screens -->", "<!-- end of rates -->"
FILES = 100  # simulated of each market
Shape = tuple[int, int]  # tenders, bids of each
CAN_FIRE = ("hole", "gap", "relative_distance", "skewness", "uniformity", "cv", "spread")


@dataclass(frozen=True)
class Market:
    """What is simulated.

    Attributes:
        name: as in the table.
        bids: logarithms of bids relative to their tender's size, float64 of the given shape.
        counts: how many bids tenders have; as many tenders of each.
        tenders: in a file.
        shares: bids are shares of a reserve: tenders have one size.
    """

    name: str
    bids: Callable[[Any, Shape], Floats]
    counts: tuple[int, ...] = (2, 3, 4, 5)
    tenders: int = 100
    shares: bool = False


def _uniform(luck: Any, shape: Shape) -> Floats:
    return np.log(luck.uniform(0.9, 1.1, shape))


def _with_outliers(factor: float) -> Callable[[Any, Shape], Floats]:
    def bids(luck: Any, shape: Shape) -> Floats:
        own = _uniform(luck, shape)
        return np.where(luck.random(shape) < 1 / 12, own + np.log(factor), own)

    return bids


def _uneven(luck: Any, shape: Shape) -> Floats:
    """Tenders in which bids lie close together, and tenders in which they do not."""
    own: Floats = 0.05 * np.exp(0.5 * luck.standard_normal((shape[0], 1)))
    return own * luck.standard_normal(shape)


def _costs(luck: Any, shape: Shape) -> Floats:
    """First-price bids in equilibrium: costs uniform on .8 .. 1.2, bid c + (1.2 - c) / n."""
    cost = luck.uniform(0.8, 1.2, shape)
    return np.log(cost + (1.2 - cost) / shape[1])


def _rounded(luck: Any, shape: Shape) -> Floats:
    """Rounded to one per cent: there are ties."""
    return np.log(np.round(1.0 + 0.05 * luck.standard_normal(shape), 2))


def _common_costs(luck: Any, shape: Shape) -> Floats:
    """What a tender costs, as a share of its reserve, differs more than its bids do."""
    return np.log(1.0 + 0.03 * luck.standard_normal(shape)) + luck.uniform(0, 0.1, (shape[0], 1))


def _cheap_bidder(luck: Any, shape: Shape) -> Floats:
    own = _normal(luck, shape) * 0.4
    own[:, 0] -= 0.05
    return own


def _covers(luck: Any, shape: Shape, low: float = 0.003, high: float = 0.013) -> Floats:
    """One bids, the others cover it by .3 to 1.3 per cent."""
    own = np.log1p(luck.uniform(low, high, shape))
    own[:, 0] = 0.0
    return own + 0.03 * luck.standard_normal((shape[0], 1))


def _half(luck: Any, shape: Shape) -> Floats:
    """Every second tender is arranged."""
    return np.where(np.arange(shape[0])[:, None] % 2, _covers(luck, shape), _uniform(luck, shape))


def _high_covers(luck: Any, shape: Shape) -> Floats:
    """Covers 5 to 8 per cent above the winner."""
    return _covers(luck, shape, 0.05, 0.08)


def _normal(luck: Any, shape: Shape) -> Floats:
    own: Floats = 0.05 * luck.standard_normal(shape)
    return own


def _heavy(luck: Any, shape: Shape) -> Floats:
    own: Floats = 0.04 * luck.standard_t(3, shape)
    return own


def _skewed(sign: float) -> Callable[[Any, Shape], Floats]:
    return lambda luck, shape: sign * 0.05 * luck.exponential(1.0, shape)


HONEST = (
    Market("normal", _normal),
    Market("normal, 30 tenders", _normal, tenders=30),
    Market("normal, 1,000 tenders", _normal, tenders=1_000),
    Market("uniform, two bids", _uniform, (2,)),
    Market("uniform, three bids", _uniform, (3,)),
    Market("uniform, eight bids", _uniform, (8,)),
    Market("heavy tails (t with 3)", _heavy),
    Market("long tail upwards", _skewed(1.0)),
    Market("long tail downwards", _skewed(-1.0)),
    Market("a twelfth at .15 of the others", _with_outliers(0.15)),
    Market("the same, three bids, 400 tenders", _with_outliers(0.15), (3,), 400),
    Market("a twelfth at 6 times the others", _with_outliers(6.0)),
    Market("a dispersion of its own each", _uneven),
    Market("equilibrium of a first price", _costs),
    Market("rounded to one per cent", _rounded),
    Market("shares of a reserve, normal", _normal, shares=True),
    Market("shares of a reserve, uniform", _uniform, shares=True),
)
# Honest as well, but bids of a tender have something in common, or bidders differ.
DECEPTIVE = (
    Market("shares of a reserve, costs differ by 10 %", _common_costs, shares=True),
    Market("one bidder 5 % cheaper everywhere", _cheap_bidder),
)
ARRANGED = (
    Market("covers .3 to 1.3 % above", _covers),
    Market("the same, 400 tenders", _covers, tenders=400),
    Market("the same, three bids", _covers, (3,)),
    Market("the same, two bids", _covers, (2,)),
    Market("every second tender so", _half, tenders=400),
    Market("covers 5 to 8 % above, five bids", _high_covers, (5,)),
    Market("shares, covers .3 to 1.3 % above", _covers, shares=True),
)


def simulate(market: Market, number: int) -> BidsBySize:
    """One file of a market, float64 `[T, n]` by n, each row ascending."""
    luck = np.random.default_rng(number)  # noqa: TID251 (not tacit's own draws: what is judged)
    found = {}
    for n in market.counts:
        count = market.tenders // len(market.counts)
        logs = market.bids(luck, (count, n))
        size = 0.0 if market.shares else 8.0 + 2.0 * luck.standard_normal((count, 1))
        found[n] = np.sort(np.exp(size + logs), axis=1)
    return found


def fired(market: Market, files: int) -> Counter[str]:
    """How many of the files each screen fires on; `any`: at least one does."""
    count: Counter[str] = Counter()
    for number in range(files):
        names = {
            r.name for r in survey(simulate(market, number), [-0.05, 0.01]).readings if r.fires
        }
        count.update(names | ({"any"} if names else set()))
    return count


def table(files: int) -> list[str]:
    """The tables as Markdown."""
    lines = []
    kinds = {"honest": HONEST, "honest, not independent": DECEPTIVE, "arranged": ARRANGED}
    for title, markets in kinds.items():
        names = [*CAN_FIRE, "any"]
        lines += [f"| {title}, {files} files each | {' | '.join(names)} |", "|---" * 9 + "|"]
        total: Counter[str] = Counter()
        for market in markets:
            count = fired(market, files)
            total += count
            print(market.name, dict(count), flush=True)
            cells = " | ".join(f"{count[name] / files:.2f}" for name in names)
            lines.append(f"| {market.name} | {cells} |")
        if markets is HONEST:
            cells = " | ".join(f"{total[name] / files / len(markets):.3f}" for name in names)
            lines.append(f"| all of them | {cells} |")
        lines.append("")
    return lines


def main() -> None:
    """Simulate, print, and write the page if it was everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screens", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES, help="files of each market")
    files = parser.parse_args().files
    text = "\n".join(table(files)).strip()
    print(text)
    if files == FILES:
        page = with_block(PAGE.read_text(encoding="utf-8"), BEGIN, END, text)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
