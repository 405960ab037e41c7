"""What a tabulation found, in lines."""

from __future__ import annotations

from tacit.agents.external.question import Questions

from .tabulation import Tabulation

MOST_NOTES = 10


def result_lines(found: Tabulation, questions: Questions) -> list[str]:
    """What was asked, what came back, and whether the table stands for the bot.

    Of a bot that never answered only why: there is nothing to count.
    """
    if found.stopped and not found.answers:
        return [f"no answer came: {found.stopped}"]
    rows = len(questions.decisions)
    lines = [
        f"{rows:,} row{'s' * (rows != 1)} with a choice asked {found.asked:,} times: "
        f"{found.moved:,} moved, largest change {_percent(found.largest_change)}"
    ]
    counts = {
        "refusals": found.refusals,
        "illegal answers": found.illegal_answers,
        "time-outs": found.time_outs,
        "questions without an answer": found.failures,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    lines.append(told or "no refusals, illegal answers or time-outs")
    if found.illegal_mass > 0:
        worst = float(found.illegal_by_row[questions.decisions].max())
        lines.append(
            f"mass on no legal action: {_percent(found.illegal_mass)} on average, at most "
            f"{_percent(worst)} of a row; rows are what it does when its answer is legal"
        )
    lines += [f"note: {note}" for note in found.notes[:MOST_NOTES]]
    lines.append(verdict_line(found))
    if not found.stopped:  # else the only reason is why asking ended early
        lines += [f"  {reason}" for reason in found.reasons]
    return lines


def verdict_line(found: Tabulation) -> str:
    """Whether the bot is a function of what it sees, and what would not have been found."""
    if found.stopped:
        return f"not finished: {found.stopped}"
    if not found.passes_gate:
        return "no table: this bot is no function of what its seat sees, as far as was asked"
    how = "up to chance" if found.mixes else "its answers do not vary"
    return (
        f"a function of what its seat sees ({how}; a change of {_percent(found.resolution)} or "
        "more would have been found)"
    )


def plain(found: Tabulation) -> dict[str, object]:
    """The counts as JSON values, as the card of a policy file keeps them."""
    return {
        "asked": found.asked,
        "moved": found.moved,
        "largest_change": found.largest_change,
        "illegal_mass": found.illegal_mass,
        "largest_illegal_mass": float(found.illegal_by_row.max(initial=0.0)),
        "refusals": found.refusals,
        "illegal_answers": found.illegal_answers,
        "time_outs": found.time_outs,
        "failures": found.failures,
        "mixes": found.mixes,
        "passes_gate": found.passes_gate,
        "resolution": found.resolution,
        "models": list(found.models),
        "reasons": list(found.reasons),
        "stopped": found.stopped,
    }


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
