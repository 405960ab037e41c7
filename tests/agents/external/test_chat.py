"""Endpoints of chat completions: probabilities read back, and what rude ones leave behind."""

from __future__ import annotations

import json
import socket
import threading

import numpy as np
import pytest
from support.own_agent.chat_stub import CERTIFICATE, Reply, chat_stub, completion, of_table

from tacit.agents.external.config import ChatConfig
from tacit.agents.external.doors.answers import (
    ACTION,
    FAILED,
    ILLEGAL,
    PROBABILITIES,
    REFUSAL,
    TIME_OUT,
    DoorClosed,
)
from tacit.agents.external.doors.chat import ChatDoor
from tacit.agents.external.doors.prompt import Prompt, read_prompt
from tacit.agents.external.question import Questions
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = make_market("cloud_bandwidth", {"prices": 5})
QUESTIONS = Questions(MARKET, "provider_0")
KEY = "sk-very-secret-0815"


OPENED: list[ChatDoor] = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while OPENED:
        OPENED.pop().close()


def door(url: str, pauses: list[float] | None = None, **keys) -> ChatDoor:
    waited = [] if pauses is None else pauses
    config = ChatConfig(base_url=url, model="m", **{"retries": 2, "pause": 0.5, **keys})
    OPENED.append(ChatDoor(config, sleep=waited.append))
    return OPENED[-1]


def known_table(seed: int = 3) -> np.ndarray:
    """Rows of probabilities, float64 `[25, 5]`, some of them 0."""
    table = np.abs(np.sin(seed + np.arange(125.0).reshape(25, 5) * 1.7))
    table[::3, 1] = 0.0
    return table / table.sum(axis=1, keepdims=True)


def test_probabilities_come_back_whatever_the_labels_and_the_wording():
    table = known_table()
    with chat_stub(of_table(MARKET, "provider_0", table)) as stub:
        own = door(stub.url)
        for o in range(25):
            for order, wording in ((None, 0), ((4, 2, 0, 1, 3), 1)):
                answer = own.ask(QUESTIONS.at(o, order, wording))
                assert answer.kind == PROBABILITIES
                assert np.abs(answer.row - table[o]).max() < 1e-12
                assert answer.illegal == 0.0
                assert answer.model == "stub-1"
    assert set(stub.paths) == {"/v1/chat/completions"}
    assert stub.keys == [None] * 50
    first = stub.requests[0]
    assert (first["max_tokens"], first["logprobs"], first["top_logprobs"]) == (1, True, 20)


@pytest.mark.parametrize(
    ("top", "row"),
    [
        ({"A": 0.2, " A": 0.1, "B.": 0.3, "The": 0.4}, [0.3, 0.3, 0, 0, 0]),
        ({"a": 0.5, "AB": 0.5}, [0, 0, 0, 0, 0]),
    ],
)
def test_mass_on_other_tokens_is_reported(top, row):
    with chat_stub(lambda body, count: completion("A", top)) as stub:
        answer = door(stub.url).ask(QUESTIONS.at(0))
    assert answer.kind == PROBABILITIES
    assert answer.row == pytest.approx(row)
    assert answer.illegal == pytest.approx(1 - sum(row))


def test_without_probabilities_answers_are_drawn():
    with chat_stub(lambda body, count: completion("B.")) as stub:
        own = door(stub.url)
        first, second = own.ask(QUESTIONS.at(0)), own.ask(QUESTIONS.at(0, (1, 0, 2, 3, 4)))
        assert (first.kind, second.kind) == (ACTION, ACTION)
        assert first.row.tolist() == [0, 1, 0, 0, 0]
        assert second.row.tolist() == [1, 0, 0, 0, 0]
        assert "logprobs" in stub.requests[0]
        assert "logprobs" not in stub.requests[1]
        assert stub.requests[1]["max_tokens"] == 16
        wants = door(stub.url, answers="probabilities")
        with pytest.raises(DoorClosed, match="the endpoint gives no probabilities"):
            wants.ask(QUESTIONS.at(0))


# --- rude endpoints ------------------------------------------------------------------------------


def one(text):
    return lambda body, count: completion(text)


@pytest.mark.parametrize(
    ("answering", "kind", "problem"),
    [
        (one(None), REFUSAL, "said nothing"),
        (one("   "), REFUSAL, "said nothing"),
        (one("I cannot help with price fixing."), ILLEGAL, "names no legal action"),
        (one("<script>alert(1)</script>\x1b[2J"), ILLEGAL, "names no legal action"),
        (one("word " * 150_000), ILLEGAL, "names no legal action"),
        (one("x" * 2_000_000), ILLEGAL, "an answer of more than a megabyte"),
        (one("price 99"), ILLEGAL, "names no legal action"),
        (lambda b, n: completion("A", finish_reason="content_filter"), REFUSAL, "refused"),
        (lambda b, n: Reply(b'{"choices": [{"mess'), FAILED, "a body that is no JSON"),
        (lambda b, n: Reply(b"<html>\x1b[31m</html>"), FAILED, "a body that is no JSON"),
        (lambda b, n: Reply(b"[" * 100_000), FAILED, "a body that is no JSON"),
        (lambda b, n: Reply({"choices": []}), FAILED, "an object that is no chat completion"),
        (lambda b, n: Reply([1, 2]), FAILED, "an object that is no chat completion"),
        (lambda b, n: Reply({"choices": [{"message": 3}]}), FAILED, "no chat completion"),
        (
            lambda b, n: completion("A", logprobs={"content": [{"top_logprobs": "A"}]}), ACTION, "",
        ),
    ],
)  # fmt: skip
def test_rude_answers_are_results(answering, kind, problem):
    with chat_stub(answering) as stub:
        answer = door(stub.url).ask(QUESTIONS.at(0))
    assert answer.kind == kind
    assert problem in answer.problem
    assert len(answer.text) <= 503


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_tries_again_after_a_growing_pause(status):
    def answering(body, count):
        return Reply({}, status, {"Retry-After": "3"}) if count < 2 else completion("A", {"A": 1.0})

    pauses: list[float] = []
    with chat_stub(answering) as stub:
        answer = door(stub.url, pauses).ask(QUESTIONS.at(0))
    assert (answer.kind, answer.tries) == (PROBABILITIES, 3)
    assert pauses == [3.0, 3.0]


def test_it_gives_up_after_its_retries():
    pauses: list[float] = []
    with chat_stub(lambda body, count: Reply({}, 500)) as stub:
        answer = door(stub.url, pauses).ask(QUESTIONS.at(0))
    assert (answer.kind, answer.problem) == (FAILED, "status 500, also after 2 retries")
    assert pauses == [0.5, 1.0]
    assert len(stub.requests) == 3


def test_an_endpoint_that_hangs_or_drips_runs_out_of_time():
    until = threading.Event()

    def answering(body, count):
        until.wait(5)
        return completion("A")

    with chat_stub(answering) as stub:
        answer = door(stub.url, retries=0, seconds=0.1).ask(QUESTIONS.at(0))
        until.set()
    assert (answer.kind, answer.problem) == (
        TIME_OUT, "no answer in 0.1 seconds, also after 0 retries",
    )  # fmt: skip


def test_a_connection_that_breaks_is_a_failed_answer():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        answer = door(url, retries=1).ask(QUESTIONS.at(0))
    assert answer.kind == FAILED
    assert "the connection broke" in answer.problem


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status):
    with chat_stub(lambda body, count: completion("A")) as elsewhere:
        target = {"Location": f"{elsewhere.url}/chat/completions"}
        with (
            chat_stub(lambda body, count: Reply({}, status, target)) as stub,
            pytest.raises(DoorClosed, match="sends requests elsewhere"),
        ):
            door(stub.url).ask(QUESTIONS.at(0))
    assert elsewhere.requests == []


def test_a_refusal_of_all_requests_is_told_without_the_key(monkeypatch):
    monkeypatch.setenv("OWN_KEY", KEY)
    body = {"error": f"wrong key {KEY} \x1b[31m"}
    with chat_stub(lambda b, n: Reply(body, 401)) as stub, pytest.raises(DoorClosed) as told:
        door(stub.url, key_variable="OWN_KEY").ask(QUESTIONS.at(0))
    assert "status 401" in str(told.value)
    assert KEY not in str(told.value)
    assert stub.keys == [f"Bearer {KEY}"]


def test_the_key_is_read_when_it_is_needed_and_repeated_nowhere(monkeypatch):
    monkeypatch.delenv("OWN_KEY", raising=False)
    with chat_stub(lambda body, count: completion(f"B {KEY}")) as stub:
        own = door(stub.url, key_variable="OWN_KEY")
        with pytest.raises(DoorClosed, match="OWN_KEY is not set in the environment"):
            own.ask(QUESTIONS.at(0))
        monkeypatch.setenv("OWN_KEY", KEY)
        answer = own.ask(QUESTIONS.at(0))
    assert answer.text == "B [key]"
    assert KEY not in repr(own.__dict__) + repr(answer)


def test_certificates_are_verified():
    with chat_stub(lambda body, count: completion("A", {"A": 1.0}), tls=True) as stub:
        with pytest.raises(DoorClosed, match="the certificate of localhost is not valid"):
            door(stub.url).ask(QUESTIONS.at(0))
        assert stub.requests == []
        config = ChatConfig(base_url=stub.url, model="m")
        OPENED.append(ChatDoor(config, certificates=str(CERTIFICATE)))
        assert OPENED[-1].ask(QUESTIONS.at(0)).kind == PROBABILITIES


@pytest.mark.parametrize(
    ("url", "allowed", "mistake"),
    [
        ("http://10.0.0.7/v1", (), "10.0.0.7 is not this machine; nothing was sent"),
        ("http://localhost.example.org", (), "localhost.example.org is not this machine"),
        ("http://10.0.0.7/v1", ("10.0.0.7",), "a key is sent by https:// only"),
    ],
)
def test_requests_go_to_this_machine_unless_allowed(url, allowed, mistake):
    with pytest.raises(DoorClosed, match=mistake):
        ChatDoor(ChatConfig(base_url=url, model="m", key_variable="OWN_KEY"), allowed)


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with chat_stub(lambda body, count: completion("A", {"A": 1.0})) as stub:
        assert door(stub.url).ask(QUESTIONS.at(0)).kind == PROBABILITIES


def test_costs_are_counted_by_tokens():
    def answering(body, count):
        reply = json.loads(completion("A", {"A": 1.0}).body)
        return Reply({**reply, "usage": {"prompt_tokens": 200, "completion_tokens": 1}})

    with chat_stub(answering) as stub:
        answer = door(stub.url, price_in=3.0, price_out=15.0).ask(QUESTIONS.at(0))
    assert answer.cost == pytest.approx((200 * 3 + 15) / 1e6)


# --- prompts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{situatoin} {options}", "unknown placeholder '{situatoin}'. Did you mean 'situation'?"),
        ("{words.__class__}", "unknown placeholder '{words.__class__}'."),
        ("{words[0]}", "unknown placeholder '{words[0]}'."),
        ("{} {words}", "unknown placeholder '{}'."),
        ("{words!r}", "{words} takes no format."),
        ("{options}", "never shows what is seen; it needs {situation}."),
        ("{situation}", "never shows what can be done; it needs {options}."),
        ("{words", "write {{ and }} for braces that are no placeholder."),
    ],
)
def test_mistakes_in_prompts(text, mistake):
    with pytest.raises(ConfigError, match=r"^prompt: ") as told:
        Prompt(text)
    assert mistake in str(told.value)


def test_a_prompt_is_filled_in(tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_text("You are {seat} in {market}. {{JSON}}\n{situation}\n{options}\n{labels}?")
    text = read_prompt(str(file)).fill(QUESTIONS.at(7))
    assert text.startswith("You are provider_0 in cloud_bandwidth. {JSON}\nMarket: ")
    assert text.endswith("E. price 2\nA, B, C, D, E?") or text.endswith("A, B, C, D, E?")
    with pytest.raises(ConfigError, match=r"nowhere.txt cannot be read: No such file"):
        read_prompt(str(tmp_path / "nowhere.txt"))
    file.write_bytes(b"\xff\xfe{words}")
    with pytest.raises(ConfigError, match="is no text in UTF-8"):
        read_prompt(str(file))
