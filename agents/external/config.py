"""Keys of agents that are not tacit's own. (Nothing is run here: `--help` and `list` read this.)"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tacit.envs.errors import InvalidKey
from tacit.envs.types import Count, NonNegative, Positive

LOOPBACK = ("localhost", "127.0.0.1", "::1")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
CALL = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

LIVE = "whether it answers every round of training, and is not asked once beforehand (slow)"
FALLBACK = "of a live bot: played where it gives no legal answer; empty: the first legal action"


class ExternalConfig(BaseModel):
    """Keys of a bot: a function of Python, or a command that speaks JSON lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["external"] = "external"
    call: str | None = Field(None, description="module:function, called once for each question")
    command: tuple[str, ...] | None = Field(
        None, description="a program and its arguments; it speaks JSON lines"
    )
    seconds: Positive = Field(10.0, description="that an answer may take")
    start_seconds: Positive = Field(30.0, description="that a start (an import) may take")
    live: bool = Field(False, description=LIVE)
    fallback: str = Field("", description=FALLBACK)

    @field_validator("call")
    @classmethod
    def _callable_name(cls, call: str | None) -> str | None:
        if call is not None and not CALL.fullmatch(call):
            raise ValueError(f"must be module:function, as in my.bot:act, got {call!r}.")
        return call

    @field_validator("command")
    @classmethod
    def _some_command(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is not None and (not command or not command[0]):
            raise ValueError("must be a program and its arguments, as in [python, bot.py].")
        if command is not None and any("\0" in word for word in command):
            raise ValueError("holds a null character.")
        return command

    @model_validator(mode="after")
    def _one_door(self) -> ExternalConfig:
        if (self.call is None) == (self.command is None):
            raise InvalidKey("call", "needs either call or command, and not both.")
        _check_fallback(self)
        return self


class ChatConfig(BaseModel):
    """Keys of a language model behind an endpoint of chat completions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["chat"] = "chat"
    base_url: str = Field(description="of the endpoint, as in http://127.0.0.1:8080/v1")
    model: str = Field(min_length=1, description="its name there")
    prompt: str | None = Field(
        None, description="a text file with {situation} and {options}; null: a prompt of tacit's"
    )
    key_variable: str | None = Field(
        None, description="the environment variable that holds the key; null: no key is sent"
    )
    answers: Literal["auto", "probabilities", "samples"] = Field(
        "auto", description="read from the first token's probabilities, or drawn"
    )
    temperature: NonNegative = Field(1.0, description="that is asked for")
    max_tokens: Count = Field(16, description="of an answer that is drawn")
    top_logprobs: Annotated[int, Field(ge=1, le=100)] = Field(
        20, description="tokens whose probabilities are asked for"
    )
    seconds: Positive = Field(60.0, description="that an answer may take")
    retries: Annotated[int, Field(ge=0, le=100)] = Field(
        6, description="after 429, 5xx or a broken connection, with a growing pause"
    )
    pause: NonNegative = Field(0.5, description="seconds before the first retry; it doubles")
    price_in: NonNegative = Field(0.0, description="money for a million tokens of prompts")
    price_out: NonNegative = Field(0.0, description="money for a million tokens of answers")
    live: bool = Field(False, description=LIVE)
    fallback: str = Field("", description=FALLBACK)

    @model_validator(mode="after")
    def _live_keys(self) -> ChatConfig:
        _check_fallback(self)
        return self

    @field_validator("base_url")
    @classmethod
    def _address(cls, address: str) -> str:
        # The address itself is not repeated in messages: it may hold a password.
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise ValueError("is no address, as in http://127.0.0.1:8080/v1.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError("must begin with http:// or https:// and name a host.")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must hold no user and no password; name a key_variable.")
        if parts.query or parts.fragment:
            raise ValueError("must end with a path, without ? and #.")
        if any(ord(c) <= 32 or ord(c) >= 127 for c in address):
            raise ValueError("must hold no blanks and no other than ASCII characters.")
        return address.rstrip("/")

    @field_validator("key_variable", mode="before")
    @classmethod
    def _variable(cls, name: Any) -> Any:
        # What was given is not repeated: it may be the key itself.
        if name is not None and not (isinstance(name, str) and VARIABLE.fullmatch(name)):
            raise ValueError(
                "must be the name of an environment variable, as in MY_KEY, not the key itself."
            )
        return name

    @property
    def host(self) -> str:
        """The host that requests go to."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this machine."""
        return self.host in LOOPBACK


def what_it_runs(config: BaseModel | None) -> str | None:
    """What an agent's config has run or called, in words; None: nothing that is not tacit's own."""
    if isinstance(config, ExternalConfig):
        if config.call is not None:
            return f"the Python function {config.call}"
        return f"the command {' '.join(config.command or ())}"
    if isinstance(config, ChatConfig):
        return f"requests to {config.base_url} (model {config.model})"
    return None


LiveConfig = ExternalConfig | ChatConfig  # the agents that may be live


def is_live(config: BaseModel | None) -> bool:
    """Whether an agent is asked at every decision of training."""
    return isinstance(config, LiveConfig) and config.live


def asked_as(config: BaseModel) -> dict[str, Any]:
    """An agent's config as JSON values, without what only says how it takes part in training: by
    this, answers that are kept in a file belong to it."""
    return config.model_dump(mode="json", exclude={"live", "fallback"})


def _check_fallback(config: LiveConfig) -> None:
    """Refuse a key that would have no effect."""
    if config.fallback and not config.live:
        raise InvalidKey("fallback", "is for live: true; an agent that is asked once needs none.")
