"""Language models behind an endpoint of chat completions (llama.cpp, vLLM, Ollama, vendors).

Where the endpoint gives the probabilities of the first token, one request is one whole row: the
mass of every label, and what is left is mass on no legal action. Otherwise an answer is one draw.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tacit.agents.external.config import ChatConfig
from tacit.agents.external.question import LETTERS, Question, read_name

from .answers import (
    FAILED,
    ILLEGAL,
    REFUSAL,
    TIME_OUT,
    BotAnswer,
    DoorClosed,
    of_place,
    of_probabilities,
    shortened,
    without,
)
from .post import Poster, Response, Unanswered, check_host
from .prompt import Prompt, read_prompt

PATH = "/chat/completions"
LONGEST_PAUSE = 60.0
CHARACTERS_PER_TOKEN = 4  # where an endpoint does not count tokens
REDACTED = "[key]"


class ChatDoor:
    """An endpoint of chat completions.

    Attributes:
        config: its keys.
        prompt: what is asked.
        where: the endpoint, in words.
    """

    def __init__(
        self,
        config: ChatConfig,
        allowed: tuple[str, ...] = (),
        certificates: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        prompt: Prompt | None = None,
    ) -> None:
        """Check where requests would go; nothing is sent yet.

        Args:
            config: the keys.
            allowed: hosts to which requests may go, beside this machine.
            certificates: a file of certificates to trust beside the system's.
            sleep: waits before a retry.
            prompt: what is asked; None: that of the config.

        Raises:
            ConfigError: the prompt's file cannot be read.
            DoorClosed: the host is not allowed, or the key would travel unencrypted.
        """
        check_host(config.base_url, allowed)
        if config.key_variable and not config.is_loopback and config.base_url.startswith("http:"):
            raise DoorClosed("base_url: a key is sent by https:// only.")
        self.config = config
        self.prompt = read_prompt(config.prompt) if prompt is None else prompt
        self.where = f"{config.model} at {config.base_url}"
        self._poster = Poster(config.base_url, config.seconds, certificates)
        self._sleep = sleep
        self._has_probabilities = config.answers != "samples"

    # --- requests --------------------------------------------------------------------------------

    def _key(self) -> str | None:
        """The key, read when it is needed and kept nowhere.

        Raises:
            DoorClosed: the variable is not set.
        """
        if self.config.key_variable is None:
            return None
        key = os.environ.get(self.config.key_variable, "").strip()
        if not key:
            raise DoorClosed(
                f"key_variable: {self.config.key_variable} is not set in the environment."
            )
        if not (key.isascii() and key.isprintable()):
            raise DoorClosed(f"key_variable: {self.config.key_variable} holds no usable key.")
        return key

    def _body(self, question: Question) -> dict[str, Any]:
        config = self.config
        body: dict[str, Any] = {
            "model": config.model,
            "messages": [{"role": "user", "content": self.prompt.fill(question)}],
            "temperature": config.temperature,
            "max_tokens": config.max_tokens,
        }
        if self._has_probabilities and len(question.actions) <= len(LETTERS):
            body |= {"max_tokens": 1, "logprobs": True, "top_logprobs": config.top_logprobs}
        return body

    def ask(self, question: Question) -> BotAnswer:
        """Ask the model; 429, 5xx and broken connections are tried again after a pause.

        Raises:
            DoorClosed: the endpoint refuses all requests, sends elsewhere, or has a wrong
                certificate; or the key is missing.
        """
        begun = time.perf_counter()
        key, body = self._key(), self._body(question)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        pause, problem, is_late = self.config.pause, "", False
        for tries in range(1, self.config.retries + 2):
            wait = pause
            try:
                response = self._poster.post(PATH, body, headers)
            except Unanswered as error:
                problem, is_late = str(error), error.is_time_out
            else:
                answer = self._read(question, body, response, key)
                if answer is not None:
                    seconds = time.perf_counter() - begun
                    return replace(answer, seconds=seconds, tries=tries)
                problem, is_late = f"status {response.status}", False
                wait = max(pause, response.retry_after)
            if tries <= self.config.retries:
                self._sleep(min(wait, LONGEST_PAUSE))
                pause = min(2 * pause, LONGEST_PAUSE)
        kind = TIME_OUT if is_late else FAILED
        told = f"{problem}, also after {self.config.retries} retries"
        seconds = time.perf_counter() - begun
        return replace(
            without(question, kind, told), seconds=seconds, tries=self.config.retries + 1
        )

    def _read(
        self, question: Question, body: Mapping[str, Any], response: Response, key: str | None
    ) -> BotAnswer | None:
        """The answer in a response; None: try again.

        Raises:
            DoorClosed: it is of no use to ask again.
        """
        status = response.status
        if status == 429 or status >= 500:
            return None
        if 300 <= status < 400:
            raise DoorClosed(
                f"base_url: {self.config.base_url} sends requests elsewhere (status {status}); "
                "redirects are not followed."
            )
        text = _redacted(response.body, key)
        if status != 200:
            raise DoorClosed(
                f"base_url: {self.config.base_url} refuses requests (status {status}): "
                f"{shortened(' '.join(text.split()), 200)}"
            )
        if response.is_cut:
            return without(question, ILLEGAL, "an answer of more than a megabyte", text)
        try:
            data = json.loads(response.body)
        except (ValueError, RecursionError):
            return without(question, FAILED, "a body that is no JSON", text)
        answer = self._of_choice(question, data, text, key)
        model = data.get("model") if isinstance(data, dict) else None
        return replace(
            answer,
            model=_redacted(shortened(str(model or self.config.model), 100), key),
            cost=self._cost(data, body),
        )

    def _cost(self, data: Any, body: Mapping[str, Any]) -> float:
        """What a request cost, by the tokens that the endpoint counts, else by an estimate."""
        usage = data.get("usage") if isinstance(data, dict) else None
        usage = usage if isinstance(usage, dict) else {}
        prompt = body["messages"][0]["content"]
        tokens_in = _count(usage.get("prompt_tokens"), len(prompt) / CHARACTERS_PER_TOKEN)
        tokens_out = _count(usage.get("completion_tokens"), body["max_tokens"])
        return _money(self.config, tokens_in, tokens_out)

    # --- answers ---------------------------------------------------------------------------------

    def _of_choice(self, question: Question, data: Any, text: str, key: str | None) -> BotAnswer:
        """The answer in a body of JSON."""
        try:
            choice = data["choices"][0]
            message = choice.get("message") or {}
            content = message.get("content")
        except (LookupError, TypeError, AttributeError):
            return without(question, FAILED, "an object that is no chat completion", text)
        refusal = message.get("refusal")
        if refusal or choice.get("finish_reason") == "content_filter":
            said = _redacted(str(refusal or content), key)
            return without(question, REFUSAL, "refused", said)
        said = _redacted(content, key) if isinstance(content, str) else ""
        if self._has_probabilities:
            shown = _label_mass(question, choice.get("logprobs"))
            if shown is not None:
                return of_probabilities(question, shown, said)
            if self.config.answers == "probabilities":
                raise DoorClosed(
                    "answers: the endpoint gives no probabilities (top_logprobs); set answers to "
                    "samples or auto."
                )
            # From here on answers are drawn: this one stopped after a single token.
            self._has_probabilities = False
        if not said.strip():
            return without(question, REFUSAL, "said nothing", said)
        place = read_name(question, said)
        if place is None:
            return without(question, ILLEGAL, "names no legal action", said)
        return of_place(question, place, said)

    def fresh(self) -> None:
        """An endpoint cannot be made to begin anew: every request is a new conversation."""

    def close(self) -> None:
        """Close the connections."""
        self._poster.close()


def prompt_cost(config: ChatConfig, question: Question) -> float:
    """What one request will cost, estimated from the length of its prompt.

    Raises:
        ConfigError: the prompt's file cannot be read.
    """
    characters = len(read_prompt(config.prompt).fill(question))
    tokens_out = config.max_tokens if config.answers == "samples" else 1
    return _money(config, characters / CHARACTERS_PER_TOKEN, tokens_out)


def _money(config: ChatConfig, tokens_in: float, tokens_out: float) -> float:
    return (tokens_in * config.price_in + tokens_out * config.price_out) / 1e6


def _redacted(text: str, key: str | None) -> str:
    """A text without the key, which a hostile endpoint may repeat."""
    return text if not key else text.replace(key, REDACTED)


def _count(given: Any, otherwise: float) -> float:
    """A number of tokens, if it is one."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return float(given) if is_number and math.isfinite(given) and given >= 0 else otherwise


def _label_mass(question: Question, logprobs: Any) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """The probability of each label as the first token, float64 `[L]`; None: none are given.

    A token counts for a label if it is the label, with blanks or a full stop around it.
    """
    try:
        top = logprobs["content"][0]["top_logprobs"]
        pairs = [(str(entry["token"]), float(entry["logprob"])) for entry in top]
    except (LookupError, TypeError, ValueError):
        return None
    if not pairs or any(math.isnan(x) or x > 1e-6 for _, x in pairs):
        return None
    shown = np.zeros(len(question.actions))
    places = {label: k for k, label in enumerate(question.labels)}
    for token, logprob in dict(pairs).items():
        place = places.get(token.strip().rstrip(".):"))
        if place is not None:
            shown[place] += math.exp(logprob)
    total = float(shown.sum())
    return shown if total <= 1 + 1e-6 else None
