"""What `tacit screen` prints: what was kept, the table of screens, remarks."""

from __future__ import annotations

from math import isfinite

from tacit.emergence.screens.cover_bids import LEAST_MEETINGS
from tacit.emergence.screens.winner_rotation import LEAST_STEPS, WinnerRotation
from tacit.emergence.stats import Estimate, interval, number
from tacit.training.user_files.row_sieve import reason_lines

from .screening import WINDOW, Screening

SHOWN_PAIRS = 5
ALPHA = 0.05  # a pair is named if a fair coin would do this less often

MEANING = {
    "hole": "bids within .2 % of winning or losing, against those around",
    "cv": "sd / mean of a tender's bids",
    "gap": "second bid above the lowest",
    "relative_distance": "that gap in sd of the losing bids",
    "skewness": "of a tender's bids",
    "spread": "highest bid above the lowest",
    "uniformity": "inner bids' distance from evenly scattered ones",
}
MEANING_OF_D = "bids that would still win alone, times 1 + rho"  # the other screens are D(rho)
CANNOT_SAY = (
    "A screen is a reason to look, not a finding. It fires on any settled deterministic bidding, "
    "and some proven cartels pass it.",
    "The control deals the same bids among tenders with the same number of them. What the bids of "
    "a tender have in common (costs, district, season) is lost in it, so cv, spread and D differ "
    "from it for innocent reasons too.",
    "The lowest bid is taken to win. Who bid under a minimum price, in a second round, or not at "
    "all, is not seen.",
    "A rule of the auction (a secret reserve, rebidding) can empty the margin around zero as well.",
)

OF_INDEPENDENT_BIDS = (
    "The control draws the bids of a tender independently of one another. Bidders that differ from "
    "one another (a cheap and a dear one in every tender) are not independent in this sense."
)


def heading(done: Screening) -> list[str]:
    """Rows kept and left out, with reasons, how the file was read, and notes."""
    bids, found = done.bids, done.survey
    lines = [
        f"{done.path}: {bids.rows:,} rows; {found.bids:,} bids kept, in {found.tenders:,} tenders "
        "with two bids or more"
    ]
    lines += [f"  read: {bids.reading}"] if bids.reading else []
    lines += [f"  left out: {reason}" for reason in reason_lines(bids.left_out)]
    lines += [f"  {note}" for note in bids.notes]
    return lines


def rows(done: Screening) -> list[dict[str, str]]:
    """The table of screens."""
    return [
        {
            "screen": reading.name,
            "of": MEANING.get(reading.name, MEANING_OF_D),
            "value": _number(reading.value.mean),
            "95 %": _interval(reading.value),
            "tenders": f"{reading.value.n:,}",
            "control": _number(reading.control.mean),
            "95 % of deals": _interval(reading.control),
            "against control": reading.against + " *" * reading.fires,
        }
        for reading in done.survey.readings
    ]


def _number(x: float) -> str:
    """Four digits for small numbers, which those of a screen often are, else three."""
    if not isfinite(x):
        return "-"
    return f"{x:.4f}".replace("0.", ".", 1) if abs(x) < 0.1 else number(x)


def _interval(e: Estimate) -> str:
    if not (isfinite(e.low) and isfinite(e.high)):
        return "-"
    return interval(e) if abs(e.mean) >= 0.1 else f"[{_number(e.low)}, {_number(e.high)}]"


def remarks(done: Screening) -> list[str]:
    """How it was computed, what bidders and dates add, and what screens cannot say."""
    found = done.survey
    control = f"Control: {found.deals} deals of the bids as they are."
    if not found.one_scale:
        control = (
            f"Control: {found.deals} draws of independent bids, as each tender's own are spread. "
            "Tenders are of different size, so nothing tells what cv or spread to expect: these "
            "never get a star then; --reserve puts bids on one scale."
        )
    lines = [
        "* on the side of the control on which arranged bids would lie",
        f"Shares: bootstrap over tenders, {found.resamples:,} resamples. Others: medians over "
        "tenders with exact order-statistic intervals.",
        control,
    ]
    if found.alone:
        lines.append(
            f"{found.alone} tenders share their number of bids with no other: deals leave them."
        )
    return [*lines, *_over_time(done), *_by_bidder(done), "", *cannot_say(found.one_scale)]


def cannot_say(one_scale: bool) -> list[str]:
    """What screens cannot say; the second sentence is about the control that was used."""
    return [CANNOT_SAY[0], CANNOT_SAY[1] if one_scale else OF_INDEPENDENT_BIDS, *CANNOT_SAY[2:]]


def _over_time(done: Screening) -> list[str]:
    """The lowest and the highest rolling cv, where there are dates."""
    last, values = done.rolling
    if done.bids.dates is None:
        return []
    if not len(values):
        return [f"Rolling cv: needs {WINDOW} tenders with two bids."]
    lowest, highest = (
        f"{_number(float(values[k]))} (up to {done.bids.dates[last[k]]})"
        for k in (int(values.argmin()), int(values.argmax()))
    )
    return [f"Rolling cv, median of {WINDOW} tenders: lowest {lowest}, highest {highest}."]


def _by_bidder(done: Screening) -> list[str]:
    """Rotation and pairs, where there are bidders."""
    if done.bids.bidder is None:
        return []
    lines = [f"Rotation: needs {LEAST_STEPS} steps from winner to winner."]
    if done.rotation is not None:
        order = "in order of dates" if done.bids.dates is not None else "in order of the file"
        lines = [_rotation(done.rotation, order)]
    clear = [pair for pair in done.pairs if pair.p < ALPHA]
    lines.append(
        f"Pairs that met {LEAST_MEETINGS} times or more: {len(done.pairs):,}; one stays below the "
        f"other more often than a fair coin allows in {len(clear):,} (exact, Bonferroni)."
    )
    names = done.bids.bidders
    for pair in clear[:SHOWN_PAIRS]:
        lines.append(
            f"  {names[pair.above]} above {names[pair.below]} in {pair.wins} of {pair.met}, median "
            f"margin {_number(pair.margin)}, p {pair.p:.2g}"
        )
    return lines


def _rotation(rotation: WinnerRotation, order: str) -> str:
    figures = (("information (nats)", rotation.information), ("repeats", rotation.repeats))
    parts = [
        f"{name} {number(x.value)}, shuffled {number(x.mean)} [{number(x.low)}, {number(x.high)}]"
        for name, x in figures
    ]
    steps = f"{rotation.steps:,} steps from winner to winner"
    return f"Rotation, {steps} {order}: {'; '.join(parts)}."
