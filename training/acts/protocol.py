"""A request and its envelope: one line of JSON each.

    {"id": "5f0c", "act": "pause", "by": "alice", "reason": "revenue halved", "dry_run": false}

    {"id": "5f0c", "act": "pause", "target": "volatility_kpi", "applied": true, "dry_run": false,
     "round": {"second_1/s0": 120031}, "detail": "held by: person", ...}

A request with a key that is unknown, or a value of another kind, is refused whole: nothing of it is
done. An act is known by its `id`; the same one again is answered as before and not done twice.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tacit.envs.errors import ConfigError

MOST_BYTES = 65_536  # of a line
MOST_STEPS = 1_000_000_000
READS = ("status",)  # acts that change nothing

ActName = Literal["status", "pause", "resume", "step", "stop", "ask"]
ACTS: tuple[str, ...] = get_args(ActName)
Word = Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


class ActRequest(BaseModel):
    """An act that somebody asks for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    act: ActName
    by: str = Word
    reason: str = Field(default="", max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]*$")
    rounds: int = Field(default=1, ge=1, le=MOST_STEPS)
    dry_run: bool = False


class Envelope(BaseModel):
    """What became of a request.

    Attributes:
        id, act: of the request.
        target: the run.
        applied: whether it took effect.
        dry_run: whether it was only asked what it would do.
        round: rounds that each repetition under way has played, per copy, by `arm/s0`.
        detail: what happened, or why not, in words.
        screen: what a person sees of the run afterwards (`RunControl.screen`).
    """

    id: str
    act: str
    target: str
    applied: bool
    dry_run: bool
    round: dict[str, int]
    detail: str
    screen: dict[str, Any] = {}


def parse_request(line: bytes) -> ActRequest:
    """A request, checked whole.

    Raises:
        ConfigError: all that is wrong with it.
    """
    if len(line) > MOST_BYTES:
        raise ConfigError(f"request: has more than {MOST_BYTES:,} bytes.")
    try:
        request = ActRequest.model_validate_json(line)
    except ValidationError as error:
        raise ConfigError(
            [
                f"{'.'.join(map(str, e['loc'])) or 'request'}: {e['msg'].lower()}."
                for e in error.errors()[:20]
            ]
        ) from None
    except RecursionError:
        raise ConfigError("request: is nested too deeply.") from None
    mistakes = []
    if request.act not in READS:
        if not request.by.strip():
            mistakes.append("by: must say who acts.")
        if not request.reason.strip() and request.act != "stop":
            mistakes.append(f"reason: must say why; only stop needs none, not {request.act}.")
    if request.rounds != 1 and request.act != "step":
        mistakes.append(f"rounds: belongs to step, not to {request.act}.")
    if mistakes:
        raise ConfigError(mistakes)
    return request
