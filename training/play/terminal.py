"""A session in a terminal, or with answers from a file."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator

from tacit.agents.external.words_of_values import value_texts
from tacit.envs.market import Part
from tacit.training.plain_text import say
from tacit.training.show.policy_table_text import part_name

from .screen import Brief, Event, NothingToDecide, PersonView, RoundEnded
from .session import PlaySession
from .wording import AnswerError, amount_text, choice_of

PROMPT = "> "
QUIT, HELP = ("q", "quit"), ("?", "help")
WIDTH = 96  # characters of a line
LISTED = 8  # values of a part that are named without being asked for

After = Callable[[], None]


def play(session: PlaySession, after_round: After) -> None:
    """Play a session to its end, to `q`, to the end of input, or to Ctrl-C.

    Args:
        session: a session; it is stopped when this returns.
        after_round: called after every round, to keep what was played.
    """
    for line in brief_lines(session.brief):
        say(line)
    _tell(session.opening)
    met: set[str] = set()
    try:
        while (view := session.view) is not None:
            say("")
            for line in view_lines(view, session, is_first=view.phase not in met):
                say(line)
            met.add(view.phase)
            if (action := _answer(view, session)) is None:
                break
            finished = len(session.played)
            _tell(session.act(action))
            if len(session.played) > finished:
                after_round()
    except KeyboardInterrupt:
        say("")
    session.stop()


def _answer(view: PersonView, session: PlaySession) -> int | None:
    """The action that is typed; None: the person leaves."""
    while True:
        say(PROMPT, end="")
        line = sys.stdin.readline()
        answer = line.strip()
        if not line:
            say("")
            return None
        if not sys.stdin.isatty():  # answers from a file are shown as if they had been typed
            say(answer)
        if answer.lower() in QUIT:
            return None
        if answer.lower() in HELP:
            for text in help_lines(view):
                say(text)
        elif answer:
            try:
                return choice_of(view.choices, session.seat.role, answer).action
            except AnswerError as error:
                say(str(error))


# --- lines ---------------------------------------------------------------------------------------


def brief_lines(brief: Brief) -> Iterator[str]:
    """What the person is told before the first round."""
    yield f"You are {brief.seat}. {brief.market[:1].upper()}{brief.market[1:]}."
    yield f"Run {brief.run}, arm {brief.arm}, seed {brief.seed}; {brief.rounds} rounds."
    yield f"Session {brief.session}."
    yield (
        "The others go on learning, in memory only; nothing is saved."
        if brief.learning
        else "The others play the policies that they learned, without exploring."
    )
    yield f"{brief.seat} {brief.paid}"
    for measure in brief.measures:
        yield f"  {measure.name} ({measure.unit}): {measure.meaning}"
    yield "Type an action by its number or its name. ? lists actions; q or Ctrl-C ends the session."


def view_lines(view: PersonView, session: PlaySession, is_first: bool) -> Iterator[str]:
    """What the person sees when it decides.

    Args:
        view: what it sees.
        session: of which session.
        is_first: whether this is the first decision in this phase, where parts are explained.
    """
    yield f"Round {view.round} of {session.rounds}, {view.phase}"
    if is_first:
        for part in view.seen:
            yield f"  you see {part.name} {part.value}: {part.meaning}"
        for own in view.parts:
            yield f"  you choose {part_name(own.name)}, {own.meaning}: {_values_text(own)}"
    elif view.seen:
        yield f"  you see {view.text}"


def _values_text(part: Part) -> str:
    """The values of a part; of many the first ones and the last."""
    texts = value_texts(part)
    if len(texts) <= LISTED:
        return ", ".join(texts)
    return f"{', '.join(texts[: LISTED - 2])}, ... {texts[-1]} ({len(texts)} values)"


def help_lines(view: PersonView) -> Iterator[str]:
    """The legal actions, several on a line, and what the parts mean."""
    for part in view.seen:
        yield f"  you see {part.name} {part.value}: {part.meaning}"
    for own in view.parts:
        yield f"  you choose {part_name(own.name)}: {own.meaning}"
    # Blanks within a name must not break it.
    texts = [f"#{choice.number}\0{choice.text}".replace(" ", "\0") for choice in view.choices]
    for line in textwrap.wrap("   ".join(texts), WIDTH, break_long_words=False):
        yield "  " + line.replace("\0", " ")


def _tell(events: list[Event]) -> None:
    """Print what followed."""
    for line in event_lines(events):
        say(f"  {line}")


def event_lines(events: Iterable[Event]) -> Iterator[str]:
    """What followed a decision, a line each."""
    for event in events:
        if isinstance(event, NothingToDecide):
            seen = ", ".join(f"{part.name} {part.value}" for part in event.seen)
            only = (
                "nothing to decide" if event.action == "wait" else f"you can only: {event.action}"
            )
            yield f"round {event.round}, {event.phase}: {'; '.join(filter(None, (seen, only)))}"
        elif isinstance(event, RoundEnded):
            reward, total = amount_text(event.reward), amount_text(event.total)
            yield f"round {event.round} paid you {reward}; {total} so far"
