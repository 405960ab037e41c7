"""A session as its page sees it: what the person's seat observes, its legal actions, its reward.

What others saw, did and earned is told when the session is over, and not before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.play.closing_text import score_lines, transcript_lines
from tacit.training.play.score import score_of
from tacit.training.play.screen import PersonView, RoundEnded
from tacit.training.play.session import PlaySession
from tacit.training.play.terminal import event_lines
from tacit.training.show.policy_table_text import part_name

Plain = dict[str, Any]
MOST_TOLD = 12  # lines of what followed that the page is told


class SeatedSession:
    """One session, which one page after the other may show."""

    def __init__(self, session: PlaySession, after_round: Callable[[], None]) -> None:
        """A session whose first decision is due.

        Args:
            session: that is played.
            after_round: called after every round, to keep what was played.
        """
        self._session, self._after_round = session, after_round
        self._lock = threading.Lock()
        self._decided = 0
        self._told = list(event_lines(session.opening))
        self._closing: Plain | None = None

    def state(self) -> Plain:
        """What the page shows now."""
        with self._lock:
            return self._state()

    def act(self, number: int, choice: int) -> Plain:
        """Decide, once; the state afterwards.

        Args:
            number: how many decisions were made before; an earlier one was decided already, and
                nothing is done.
            choice: the place of the action among the legal ones, from 1.

        Raises:
            ConfigError: no such action, or no such decision is due.
        """
        with self._lock:
            view = self._session.view
            if number < self._decided:
                return self._state()
            if view is None or number > self._decided:
                raise ConfigError(f"decision: {number} is not due.")
            if not 1 <= choice <= len(view.choices):
                raise ConfigError(f"choice: must be 1 to {len(view.choices)}, got {choice}.")
            done = view.choices[choice - 1]
            events = self._session.act(done.action)
            self._decided += 1
            self._told = [f"You did: {done.text}.", *event_lines(events)]
            if any(isinstance(event, RoundEnded) for event in events):
                self._after_round()
            return self._state()

    def stop(self) -> Plain:
        """End the session; what was played stays."""
        with self._lock:
            self._session.stop()
            return self._state()

    def closing(self) -> Plain:
        """What everybody did, and the score; only once the session is over.

        Raises:
            ConfigError: it is not.
        """
        with self._lock:
            if self._session.view is not None:
                raise ConfigError("closing: the session is not over.")
            if self._closing is None:
                self._closing = {
                    "transcript": list(transcript_lines(self._session)),
                    "score": list(score_lines(self._session, score_of(self._session))),
                }
            return self._closing

    def _state(self) -> Plain:
        session = self._session
        return {
            "brief": asdict(session.brief),
            "decision": self._decided,
            "view": None if session.view is None else _plain_view(session.view),
            "told": self._told[-MOST_TOLD:],
            "finished": len(session.played),
            "total": session.total,
        }


def _plain_view(view: PersonView) -> Plain:
    return {
        "round": view.round,
        "phase": view.phase,
        "seen": [asdict(part) for part in view.seen],
        "parts": [{"name": part_name(part.name), "meaning": part.meaning} for part in view.parts],
        "choices": [choice.text for choice in view.choices],
    }
