"""A request and its envelope: one line of JSON each.

    {"id": "5f0c", "act": "pause", "by": "alice", "reason": "revenue halved", "dry_run": false}

    {"id": "5f0c", "act": "pause", "target": "volatility_kpi", "applied": true, "dry_run": false,
     "round": {"second_1/s0": 120031}, "detail": "held by: person", ...}

A request with a key that is unknown, or a value of another kind, is refused whole: nothing of it is
done. An act is known by its `id` and is not done twice: the same one again gets the same answer,
and is refused where the ledger has it from an earlier command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tacit.envs.errors import ConfigError

MOST_BYTES = 65_536  # of a line
MOST_STEPS = 1_000_000_000
MOST_PACE = 1_000_000_000.0  # rounds a second
READS = ("status",)  # acts that change nothing
FORKS = ("rollback", "reweight", "redirect")  # acts from which a branch begins
TRIP = "trip"  # what a breaker would do, ordered by a person (`forks.py`)
FORCES = ("override", "veto")  # acts that put an action in the place of one that a seat chooses
UNREASONED = ("stop", "pace")  # acts that need no reason

ActName = Literal[
    "status", "pause", "resume", "step", "stop", "ask", "pace",
    "rollback", "reweight", "redirect", "override", "veto", "trip",
]  # fmt: skip
ACTS: tuple[str, ...] = get_args(ActName)
Word = Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
Line = Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]*$")]
# Which acts a key belongs to; `id`, `act`, `by`, `reason` and `dry_run` belong to all.
BELONGS: dict[str, tuple[str, ...]] = {
    "rounds": ("step",),
    "latch": ("resume",),
    "pace": ("pace",),
    "arm": ("pace", "resume", *FORKS, *FORCES, TRIP),
    "seed": ("pace", "resume", *FORKS, *FORCES, TRIP),
    "branch": (*FORKS, *FORCES, TRIP),
    "breaker": (TRIP,),
    "to": ("rollback",),
    "redirect": FORKS,
    "copy": FORCES,
    "seat": FORCES,
    "action": ("override",),
}


M = TypeVar("M", bound=BaseModel)


class ActRequest(BaseModel):
    """An act that somebody asks for.

    Attributes:
        id: of the act: the same again is not done twice.
        act: which.
        by: who asks.
        reason: why.
        rounds: of a step.
        dry_run: only say what it would do.
        latch: that is released.
        pace: rounds a second; None: full speed.
        arm: whose repetitions; empty: the only one.
        seed: which repetition; None: all that are under way.
        branch: on which whoever acts believes it to be; None: whichever.
        to: how many kept states back (`-2`), or a round (`r5000`); empty: the last kept state.
        redirect: what is changed, as breakers have it; `none`: nothing.
        in_copy: of the market, where an action is forced; its key is `copy`.
        seat: whose action.
        action: its parts, as in `price 0.4, claim scarce`.
        breaker: that is tripped.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    act: ActName
    by: str = Word
    reason: Line = ""
    rounds: int = Field(default=1, ge=1, le=MOST_STEPS)
    dry_run: bool = False
    latch: Literal["person", "breaker"] = "person"
    pace: float | None = Field(default=None, gt=0, le=MOST_PACE, allow_inf_nan=False)
    arm: Line = ""
    seed: int | None = Field(default=None, ge=0)
    branch: int | None = Field(default=None, ge=0)
    to: str = Field(default="", pattern=r"^(-[1-9][0-9]{0,8}|r[0-9]{1,15})?$")
    redirect: dict[str, Any] | Literal["none"] | None = None
    in_copy: int = Field(default=0, ge=0, alias="copy")
    seat: Line = ""
    action: Line = ""
    breaker: Line = ""

    @property
    def is_change(self) -> bool:
        """Whether it changes what is learned."""
        return self.act in (*FORKS, *FORCES)

    @property
    def line(self) -> bytes:
        """As it is sent."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True).encode() + b"\n"


class Envelope(BaseModel):
    """What became of a request.

    Attributes:
        id, act: of the request.
        target: the run's name.
        applied: whether it took effect; of `status` always False.
        refused: whether it cannot be done; `detail` says why.
        dry_run: whether it was only asked what it would do.
        round: rounds that each repetition under way has played, per copy, by `arm/s0`.
        detail: what happened, or why not, in words.
        screen: what a person sees of the run afterwards (`RunControl.screen`).
        changes: what it changes, an entry for each repetition.
        preview: what is known of that, a line each.
    """

    id: str
    act: str
    target: str
    applied: bool
    dry_run: bool
    round: dict[str, int]
    detail: str
    screen: dict[str, Any] = {}
    changes: list[dict[str, Any]] = []
    preview: list[str] = []
    refused: bool = False


def checked(model: type[M], line: bytes) -> M:
    """A line of JSON as a model, checked whole.

    Raises:
        ConfigError: all that is wrong with it.
    """
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        raise ConfigError(
            [
                f"{'.'.join(map(str, e['loc'])) or 'request'}: {e['msg'].lower()}."
                for e in error.errors()[:20]
            ]
        ) from None
    except RecursionError:
        raise ConfigError("request: is nested too deeply.") from None


def parse_request(line: bytes) -> ActRequest:
    """A request, checked whole.

    Raises:
        ConfigError: all that is wrong with it.
    """
    if len(line) > MOST_BYTES:
        raise ConfigError(f"request: has more than {MOST_BYTES:,} bytes.")
    request = checked(ActRequest, line)
    if mistakes := [*_misfits(request)]:
        raise ConfigError(mistakes)
    return request


def _misfits(request: ActRequest) -> Iterator[str]:
    """Keys that an act lacks, and keys that do not belong to it, a line each."""
    act = request.act
    if act not in READS:
        if not request.by.strip():
            yield "by: must say who acts."
        if not request.reason.strip() and act not in UNREASONED:
            yield f"reason: must say why. {act} needs one; {' and '.join(UNREASONED)} do not."
    plain = request.model_dump(by_alias=True, exclude_defaults=True)
    for key, acts in BELONGS.items():
        if key in plain and act not in acts:
            yield f"{key}: belongs to {', '.join(acts)}, not to {act}."
    redirect = request.redirect
    if act == "rollback" and not redirect:
        yield (
            "redirect: missing. A rollback alone plays the same rounds again: give kpi, market, "
            "fresh_stream or forget; or none: it will happen again."
        )
    if act in ("reweight", "redirect") and (not redirect or redirect == "none"):
        yield f"redirect: must say what {act} changes."
    elif act == "reweight" and isinstance(redirect, dict) and redirect.keys() != {"kpi"}:
        yield "redirect: reweight changes weights of the KPI only (kpi); see the act redirect."
    if act == TRIP and not request.breaker.strip():
        yield "breaker: must say which one is tripped."
    if act in FORCES:
        if request.seed is None:
            yield f"seed: must say in which seed; {act} is about one deal."
        if not request.seat:
            yield "seat: must say whose action."
        if act == "override" and not request.action.strip():
            yield "action: must say which, as in 'price 0.4'."
