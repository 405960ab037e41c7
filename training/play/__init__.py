"""A person takes a seat of a trained run and plays against the trained agents.

| file | what |
|---|---|
| `opening.py` | a session from the names of run, arm, seed and seat; all mistakes at once |
| `rounds.py` | a round as the others play it: frozen policies, or learners that go on learning |
| `screen.py` | what a front end shows: the person's view, events, the KPI in words |
| `session.py` | `PlaySession`: view, legal actions, `act`, events; prints nothing |
| `wording.py` | names of values and actions; an answer that was typed becomes an action |
| `truths.py` | after a session: what was private to a seat, and which of its claims were false |
| `score.py` | what the person earned, beside the trained policy and a best response |
| `table.py` | the session as one flat table, a row for each decision; CSV and Parquet |
| `terminal.py` | plays a session in a terminal |
| `closing_text.py` | the transcript and the score in words |
"""

from .opening import open_session
from .score import Score, score_of
from .screen import PersonView, RoundEnded
from .session import PlaySession

__all__ = ["RoundEnded", "Score", "PersonView", "PlaySession", "open_session", "score_of"]
