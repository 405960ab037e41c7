"""The page of a seat for tests: its server in a thread."""

from __future__ import annotations

from contextlib import contextmanager

from support.attend.rooms import served

from tacit.training.attend.seat.seated import SeatedSession
from tacit.training.attend.seat.serve import SeatRoom
from tacit.training.attend.serve import listen


@contextmanager
def seat_room(session, after_round=lambda: None):
    """The page of a session, served."""
    room = SeatRoom(SeatedSession(session, after_round), listen(0))
    with served(room) as page:
        yield page
