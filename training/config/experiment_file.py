"""Keys of an experiment file: question, market, KPIs, agents, training, arms, references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.envs.errors import InvalidKey, build

from . import files
from .mistakes import is_right
from .references import (
    AdoptionConfig,
    Expected,
    Figure,
    Reference,
    expected_words,
    with_kinds,
)

# The groups of settings that an arm or the command line may change, by their first word.
GROUPS = (
    "market", "kpi", "agents", "policies", "train", "record", "breakers", "seeds", "seed",
)  # fmt: skip

Count = Annotated[int, Field(ge=1, strict=True)]


class TrainConfig(BaseModel):
    """How long and how wide to train. All counts are rounds per copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: Count = Field(600_000, description="length of training; an upper bound if agents stop")
    episode_rounds: Count | None = Field(None, description="rounds of an episode; null: endless")
    copies: Count = Field(1, description="copies of the market a seed plays at once: its batch")
    measure_last: Count = Field(
        20_000, description="rounds at the end, as played, that the summary measures"
    )
    evaluate_every: Count | None = Field(None, description="rounds between points; null: 24 points")
    starts_from: str | None = Field(
        None, description="the arm at whose end training begins, seed by seed; null: at the start"
    )

    @model_validator(mode="after")
    def _measured_rounds_exist(self) -> TrainConfig:
        if self.measure_last > self.rounds:
            message = f"must be at most rounds ({self.rounds}), got {self.measure_last}."
            raise InvalidKey("measure_last", message)
        return self


class RecordConfig(BaseModel):
    """What a run keeps so that its rounds can be played again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keyframe_bytes: Annotated[int, Field(ge=0, strict=True)] = Field(
        1_000_000, description="bytes a seed for states on its way; fewer states fit, evenly spaced"
    )
    sample_rounds: Annotated[int, Field(ge=0, strict=True)] = Field(
        200, description="rounds at the end of each seed that tacit audit seal keeps as played"
    )


class BenchConfig(BaseModel):
    """Where an arm on the bench comes from (`tacit attend RUN --seed K`).

    Attributes:
        run: the run, or the configuration, by name.
        arm: its arm.
        seed: its repetition, 0 .. n-1.
        branch: of the repetition.
        round: rounds per copy that were played there; the bench goes on from that state.
        frozen: whether agents play what they have learned, without exploring and learning.
        sha256: of the file that holds the state.
        hidden: names of the parts of observations that redirects had changed by then, by seat.
        older: how many rounds older these are; 0: they are constants.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    arm: str
    seed: Annotated[int, Field(ge=0, strict=True)]
    branch: Annotated[int, Field(ge=0, strict=True)] = 0
    round: Annotated[int, Field(ge=0, strict=True)] = 0
    frozen: bool = False
    sha256: str = ""
    hidden: dict[str, list[str]] = {}
    older: Annotated[int, Field(ge=0, strict=True)] = 0


class ExperimentFile(BaseModel):
    """Keys of an experiment file.

    `market`, `kpi`, `agents`, `policies`, `train`, `record` and `breakers` are checked when an arm
    is resolved, because arms and the command line may still change them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = ""
    source: str = ""
    market: Any  # its name, or a table with its name and keys
    kpi: Any = {}  # a table by role or seat, a name in configs/kpis, or a file
    agents: dict[str, Any] = {}
    policies: dict[str, Any] = {}  # vendors: seats that share what they learn or are paid for
    train: dict[str, Any] = {}
    record: dict[str, Any] = {}
    breakers: dict[str, Any] = {}
    seeds: Annotated[int, Field(ge=1, le=100_000)] = 16
    seed: Annotated[int, Field(ge=0)] = 0
    requires: list[str] = []  # conditions of the market, by name, that every arm must meet
    arms: dict[str, dict[str, Any]] = {}
    references: list[Reference] = []
    # Names of earlier versions, which are still read: see `references.OLD_KEYS`.
    published: list[Reference] = []
    predicted: list[Reference] = []
    expected_verdict: Expected = None
    shares: str | None = None  # the experiment whose market, agents, training and arms these are
    adoption: AdoptionConfig | None = None  # arms by how many seats adopt one vendor's software
    figure: Figure | None = None
    explains: str = ""
    compute: str = ""

    @model_validator(mode="before")
    @classmethod
    def _old_entries_have_kinds(cls, raw: Any) -> Any:
        return with_kinds(raw) if isinstance(raw, Mapping) else raw

    def all_references(self, arms: Iterable[str]) -> list[Reference]:
        """References under every key, those of earlier names first, words last.

        Args:
            arms: of which an `expected_verdict` without names speaks.
        """
        listed = [*self.published, *self.predicted, *self.references]
        old = expected_words(self.expected_verdict, list(arms))
        # An old file does not say when a word was written, so nothing is checked of it here.
        words = [Reference.model_construct(kind="word", arm=arm, word=word) for arm, word in old]
        return listed + words


def read_experiment_file(path: Traversable) -> dict[str, Any]:
    """An experiment file as data; what it `shares` with another experiment is filled in.

    Raises:
        ConfigError: it cannot be read, is no table, or shares an unknown experiment.
    """
    raw = files.read_yaml(path)
    if raw.get("shares") is None:
        return raw
    shared = files.read_yaml(files.find(str(raw["shares"]), ("experiments",), "shares"))
    return {key: shared[key] for key in (*GROUPS, "arms") if key in shared} | raw


def readable_part(raw: Mapping[str, Any]) -> ExperimentFile | None:
    """An experiment of those keys that are right by themselves, or None without a market.

    With it the search for mistakes goes on behind the first one that was found.
    """
    right = {
        key: value
        for key, value in raw.items()
        if is_right(build, ExperimentFile, {"market": "", key: value}, "")
    }
    return ExperimentFile(**right) if "market" in right else None


def short_market(market: Any) -> Any:
    """`market: ad_auction` is short for `market: {name: ad_auction}`; a missing one is `{}`."""
    if isinstance(market, str):
        return {"name": market}
    return {} if market is None else market
