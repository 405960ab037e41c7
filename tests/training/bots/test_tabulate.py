"""Bots as tables: round trips, the gate, what is counted, and going on after a stop."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.own_agent.chat_stub import chat_stub, completion, of_table
from support.own_agent.gate_stubs import MARKETS, Stub, questions_of

from tacit.agents.external.config import ChatConfig
from tacit.agents.external.doors import DoorClosed, FunctionDoor
from tacit.agents.external.doors.chat import ChatDoor
from tacit.agents.external.question import Questions
from tacit.envs.engine.policy_tables import by_seat
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.tabulate import Budget, tabulate
from tacit.training.tabulate.tabulation import estimate
from tacit.training.tabulate.words import plain, result_lines

MARKET = make_market("cloud_bandwidth", {})
SMALL = make_market("cheap_talk", {})


def known_table(market, seat: str) -> np.ndarray:
    """A table `[O, A]` whose rows mix, with zeros in every third row."""
    role = market.seat(seat).role
    table = np.zeros((role.observations, role.actions))
    for o in range(role.observations):
        first, count = role.legal[o]
        row = np.abs(np.sin(1.0 + o + 1.3 * np.arange(count)))
        if o % 3 == 0 and count > 1:
            row[0] = 0.0
        table[o, first : first + count] = row / row.sum()
    return table


def answers_from(market, seat: str, table: np.ndarray):
    """A function that answers with the row of a table."""
    role = market.seat(seat).role
    phases = market.phases
    rows = {
        json.dumps({**role.decode_observation(o), "phase": phases[p]}): o
        for o in range(role.observations)
        for p in [role.decode_observation(o)["phase"]]
    }

    def act(question):
        row = table[rows[json.dumps(question["observation"])]]
        return {"probabilities": [row[role.encode_action(**a)] for a in question["actions"]]}

    return act


@pytest.mark.parametrize(
    ("market", "seat"),
    [("cheap_talk", "sender_0"), ("cheap_talk", "receiver_0"), ("procurement", "supplier_0"),
     ("procurement", "buyer_0"), ("ad_auction", "bidder_1"), ("quantity_competition", "firm_0")],
)  # fmt: skip
def test_a_known_table_comes_back(market, seat):
    own = make_market(market, {})
    table = known_table(own, seat)
    found = tabulate(FunctionDoor(answers_from(own, seat, table)), own, seat)
    assert found.passes_gate
    assert not found.mixes
    assert np.abs(found.table - table).max() < 1e-12
    assert (found.moved, found.largest_change, found.illegal_mass) == (0, 0.0, 0.0)
    by_seat(own, {seat: found.table})


def test_225_rows_come_back_over_the_loopback():
    table = known_table(MARKET, "provider_0")
    with chat_stub(of_table(MARKET, "provider_0", table)) as stub:
        door = ChatDoor(ChatConfig(base_url=stub.url, model="m"))
        found = tabulate(door, MARKET, "provider_0", parallel=2)
        door.close()
    assert found.passes_gate
    assert np.abs(found.table - table).max() < 1e-12
    assert found.asked == len(stub.requests)
    assert found.models == ["stub-1"]


def test_a_bot_that_mixes_is_a_mean_over_its_answers():
    stub = Stub(questions_of("talk"), "draws", 5)
    found = tabulate(stub, SMALL, "receiver_0", resolution=0.2)
    assert found.passes_gate
    assert found.mixes
    rows = stub.questions.decisions
    assert found.moved == len(rows)
    assert found.answers_by_row[rows].min() > 100
    assert found.table[rows].sum(axis=1) == pytest.approx(1.0)
    assert (found.table[rows] > 0).sum(axis=1).tolist() == [2] * len(rows)


@pytest.mark.parametrize(
    ("trigger", "mode", "reason"),
    [
        ("counts", "actions", "with the number of the question"),
        ("drifts", "draws", "when it is asked again later"),
        ("row before", "draws", "with the question before"),
        ("own answer before", "draws", "with its last answer"),
        ("labels", "probabilities", "when the actions stand in another order"),
        ("labels", "actions", "when the actions stand in another order"),
        ("words", "draws", "when the question is worded otherwise"),
        ("order", "draws", "after a question further up in the table"),
        ("after three questions", "actions", "when it is started anew"),
    ],
)
def test_what_is_no_function_does_not_pass(trigger, mode, reason):
    stub = Stub(questions_of("pricing"), mode, 9, trigger=trigger, strength=0.5)
    market, config, seat = MARKETS["pricing"]
    found = tabulate(stub, make_market(market, config), seat, resolution=0.2)
    assert not found.passes_gate
    assert any(f"its answers change {reason}" in told for told in found.reasons)
    assert found.largest_change > 0.2


def test_a_grim_bot_is_found_by_starting_it_anew():
    """In one long session it has seen a low price early and answers alike ever after."""

    def make():
        angry = False

        def act(question):
            nonlocal angry
            prices = [a["price"] for a in question["actions"]]
            angry |= question["observation"]["last_price_1"] < max(prices)
            return {"action": {"price": min(prices) if angry else max(prices)}}

        return act

    market = make_market("cloud_bandwidth", {"prices": 5})
    found = tabulate(FunctionDoor(make(), make), market, "provider_0")
    assert not found.passes_gate
    assert "started anew" in " ".join(found.reasons)


# --- counted -------------------------------------------------------------------------------------


def test_mass_on_no_legal_action_is_counted_and_told():
    stub = Stub(questions_of("talk"), "probabilities", 3, illegal=0.25)
    found = tabulate(stub, SMALL, "receiver_0")
    assert found.passes_gate
    assert found.illegal_mass == pytest.approx(0.25)
    assert found.illegal_by_row[stub.questions.decisions] == pytest.approx(0.25)
    text = "\n".join(result_lines(found, stub.questions))
    assert "mass on no legal action: 25 % on average, at most 25 % of a row" in text
    assert plain(found)["illegal_mass"] == pytest.approx(0.25)


def test_a_row_without_any_legal_answer_does_not_pass():
    def act(question):
        return "pass" if question["observation"].get("message") == 0.4 else 0

    def by_value(question):
        answer = act(question)
        return answer if answer else {"action": question["actions"].index({"action": 0.0})}

    found = tabulate(FunctionDoor(by_value), SMALL, "receiver_0")
    assert not found.passes_gate
    assert found.reasons == [
        "1 of 6 rows never got a legal answer, the first at phase act, message 0.4"
    ]
    assert found.illegal_answers > 0
    assert np.isnan(found.table).any(axis=1).sum() == 1


def test_a_bot_that_never_answers_ends_the_asking():
    found = tabulate(FunctionDoor(lambda question: 1 / 0), SMALL, "receiver_0")
    assert (found.asked, found.failures) == (5, 5)
    assert found.stopped == (
        "5 questions in a row had no answer, the last one: ZeroDivisionError: division by zero"
    )
    assert not found.passes_gate
    # The cause alone: nothing was counted, and no mass fell on an illegal action.
    assert result_lines(found, questions_of("talk")) == [f"no answer came: {found.stopped}"]
    assert (found.answers, found.illegal_mass, found.ended) == (0, 0.0, False)


def test_a_row_that_was_not_asked_yet_has_no_mass_on_illegal_actions():
    stub = Stub(questions_of("talk"), "probabilities", 3)
    found = tabulate(stub, SMALL, "receiver_0", budget=Budget(calls=2))
    assert found.illegal_mass == 0.0
    assert "illegal action" not in "\n".join(result_lines(found, stub.questions))


def test_a_bot_that_mixes_needs_more_than_it_may_be_asked():
    stub = Stub(questions_of("talk"), "draws", 5)
    found = tabulate(stub, SMALL, "receiver_0", most=1000)
    assert not found.passes_gate
    assert "more than 1,000 (--most, or a larger --resolution)" in found.reasons[0]


# --- going on ------------------------------------------------------------------------------------


class Counted:
    """A door that counts, and that closes after some questions."""

    where = "a counted function"

    def __init__(self, function, closes_after: int | None = None) -> None:
        self._door, self.count, self.closes_after = FunctionDoor(function), 0, closes_after

    def ask(self, question):
        if self.closes_after is not None and self.count >= self.closes_after:
            raise DoorClosed("it has ended")
        self.count += 1
        return self._door.ask(question)

    def fresh(self):
        return None

    def close(self):
        pass


def test_a_budget_that_runs_out_goes_on_where_it_was(tmp_path):
    act = answers_from(SMALL, "receiver_0", known_table(SMALL, "receiver_0"))
    whole = tabulate(FunctionDoor(act), SMALL, "receiver_0")
    file, calls = tmp_path / "answers.jsonl", []
    for _ in range(10):
        door = Counted(act)
        found = tabulate(door, SMALL, "receiver_0", budget=Budget(calls=100), file=file)
        calls.append(door.count)
        if not found.stopped:
            break
        assert found.stopped == "the budget of 100 calls is spent"
        assert not found.passes_gate
    assert sum(calls) == whole.asked == found.asked
    assert calls[:-1] == [100] * (len(calls) - 1)
    assert found.passes_gate
    assert np.array_equal(found.table, whole.table)
    assert tabulate(Counted(act, 0), SMALL, "receiver_0", file=file).passes_gate  # nothing is asked


def test_a_bot_that_dies_loses_no_answer(tmp_path):
    act = answers_from(SMALL, "receiver_0", known_table(SMALL, "receiver_0"))
    file = tmp_path / "answers.jsonl"
    found = tabulate(Counted(act, 30), SMALL, "receiver_0", file=file)
    assert (found.stopped, found.asked, found.ended) == ("it has ended", 30, True)
    with file.open("a") as half:
        half.write('{"number": 30, "ask"')  # killed while it wrote
    door = Counted(act)
    again = tabulate(door, SMALL, "receiver_0", file=file)
    assert again.passes_gate
    assert door.count == again.asked - 30


def test_money_is_a_budget(tmp_path):
    with chat_stub(lambda body, count: completion("A", {"A": 1.0})) as stub:
        config = ChatConfig(base_url=stub.url, model="m", price_in=1000.0)
        door = ChatDoor(config)
        found = tabulate(door, SMALL, "receiver_0", budget=Budget(money=1.0))
        door.close()
    assert found.stopped.startswith("the budget of 1 is spent")
    assert 1.0 <= found.money < 1.2
    assert len(stub.requests) == found.calls


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("hello\n", "is no file of answers"),
        ('{"version": 1}\n', "holds answers to other questions (seat, seed, resolution differ)"),
        ('{"version": 1}\n{"number": 0}\n', "is no file of answers"),
    ],
)
def test_a_file_of_other_answers_is_refused(tmp_path, text, mistake):
    file = tmp_path / "answers.jsonl"
    file.write_text(text)
    with pytest.raises(ConfigError) as told:
        tabulate(FunctionDoor(lambda question: 0), SMALL, "receiver_0", file=file)
    assert mistake in str(told.value)
    assert file.read_text() == text


def test_hostile_text_is_kept_as_ascii(tmp_path):
    file = tmp_path / "answers.jsonl"
    hostile = {"refuse": "\x1b[2J<script>\u202e"}
    tabulate(FunctionDoor(lambda question: hostile), SMALL, "receiver_0", file=file)
    text = file.read_text()
    assert text.isascii()
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("keys", "mistake"),
    [
        ({"resolution": 0.0}, "--resolution: must be .001 to .5, got 0."),
        ({"most": 0}, "--most: must be at least 1, got 0."),
        ({"parallel": 0}, "--parallel: must be 1 to 256, got 0."),
    ],
)
def test_arguments_out_of_range(keys, mistake):
    with pytest.raises(ConfigError) as told:
        tabulate(FunctionDoor(lambda question: 0), SMALL, "receiver_0", **keys)
    assert told.value.mistakes == [mistake]


def test_the_estimate_is_about_what_is_asked():
    for market, seat in ((SMALL, "receiver_0"), (MARKET, "provider_0")):
        role = market.seat(seat).role
        table = np.zeros((role.observations, role.actions))
        table[np.arange(role.observations), role.legal[:, 0]] = 1.0
        found = tabulate(FunctionDoor(answers_from(market, seat, table)), market, seat)
        least, most = estimate(Questions(market, seat), 0.05, can_start_anew=False)
        assert found.passes_gate
        assert abs(found.asked - least) < 0.3 * least
        assert most > 10 * least
