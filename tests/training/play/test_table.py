"""The table of a session: every cell computed again from an engine that plays the same rounds."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from support.sessions.small_arms import MARKETS, arm_of, sit_down

from tacit.envs.errors import ConfigError
from tacit.training.play.rounds import engine_of
from tacit.training.play.table import columns_of, rows_of, write_table

ROUNDS = 5


def finished(session, place=0):
    while (view := session.view) is not None:
        session.act(view.choices[place].action)
    return session


def replayed(session):
    """(round, phase, seat, observation, action, measures, scores) of every decision, played by an
    engine with the actions of the session."""
    engine = engine_of(session.population, session.name)
    market = session.arm.market
    for t, played in enumerate(session.played):
        seen = []
        for phase in range(len(market.phases)):
            observed = engine.observations[0].copy()
            for seat in market.seats:
                choice = seat.role.legal[observed[seat.index], 1] > 1
                if choice and market.acts(seat, phase):
                    action = int(played.actions[phase, seat.index])
                    seen.append((t + 1, phase, seat, int(observed[seat.index]), action))
            engine.step(np.maximum(played.actions[phase], 0)[None])
        for row in seen:
            yield (*row, engine.measures[0].copy(), engine.rows.scores[0].copy())


@pytest.mark.parametrize("name", MARKETS)
def test_every_row_is_a_decision(name):
    market = arm_of(name).market
    session = finished(sit_down(name, market.seats[0].name, ROUNDS))
    rows, expected = rows_of(session), list(replayed(session))
    assert len(rows) == len(expected) > 0
    for row, (t, phase, seat, o, action, measures, scores) in zip(rows, expected, strict=True):
        assert list(row) == list(columns_of(session))
        assert (row["session"], row["run"], row["market"]) == (
            "session",
            f"run of {name}",
            market.name,
        )
        assert (row["arm"], row["seed"], row["learning"], row["finished"]) == (
            "base",
            0,
            False,
            True,
        )
        assert (row["round"], row["phase"]) == (t, market.phases[phase])
        assert (row["seat"], row["role"]) == (seat.name, seat.role.name)
        assert row["is_person"] == (seat.index == 0)
        assert (row["seconds"] is None) == (row["learned_action"] is None) == (seat.index != 0)
        saw, did = seat.role.decode_observation(o), seat.role.decode_action(action)
        own = {k.removeprefix("did_"): v for k, v in row.items() if k.startswith("did_")}
        assert {k: v for k, v in own.items() if v is not None} == did
        truths = {k.removeprefix("truth_"): v for k, v in row.items() if k.startswith("truth_")}
        assert {k: v for k, v in truths.items() if v is not None}.items() <= saw.items()
        assert len(row["seen"].split(", ")) == len(saw) - 1 or not row["seen"]
        table = session.population.tables[seat.index]
        assert row["learned_probability"] == table[o, action]
        assert row["reward"] == scores[len(scores) - len(market.seats) + seat.index]
        for measure in market.measures:
            if seat.role.name in measure.roles:
                value = measures[seat.index, market.columns[measure.name]]
                assert row[f"measure_{measure.name}"] == value
            if "market" in measure.roles:
                value = measures[-1, market.columns[measure.name]]
                assert row[f"market_{measure.name}"] == value


PRIVATE = {"tender": {"lead"}, "brief": {"urgency", "stock"}, "counter": {"stock"},
           "private": {"value"}, "tenants": set(), "surge": {"load"},
           "talk": {"state"}, "auction": set(), "outputs": set()}  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_private_stands_in_columns_of_its_own(name):
    """As far as the market declares it: of a tenant's need it does not."""
    session = sit_down(name, arm_of(name).market.seats[0].name, 1)
    truths = {c.removeprefix("truth_") for c in columns_of(session) if c.startswith("truth_")}
    assert truths == PRIVATE[name]


def test_false_claims_are_those_that_the_market_measures():
    session = finished(sit_down("counter", "supplier_0", 30), 1)
    rows = [row for row in rows_of(session) if row["phase"] == "offer"]
    assert {row["false_claims"] for row in rows} == {None, "claim"}
    for row in rows:
        lies = row["measure_false_scarcity"] or row["measure_false_plenty"]
        assert (row["false_claims"] == "claim") == bool(lies)
    talk = finished(sit_down("talk", "sender_0", 9))
    assert {row["false_claims"] for row in rows_of(talk)} == {None}  # its words are free


def test_a_round_that_was_left_has_no_measures():
    session = sit_down("brief", "buyer_0", 9)
    session.act(session.view.choices[0].action)
    session.stop()
    rows = rows_of(session)
    assert [(row["round"], row["phase"], row["seat"]) for row in rows] == [
        (1, "brief", "buyer_0"), (1, "offer", "supplier_0"),
    ]  # fmt: skip
    for row in rows:
        assert row["finished"] is False
        assert row["reward"] is None
        assert {v for k, v in row.items() if k.startswith(("measure_", "market_"))} == {None}


def test_the_csv_holds_the_rows(tmp_path):
    session = finished(sit_down("tender", "buyer_0", ROUNDS))
    path = tmp_path / "session.csv"
    assert write_table(path, session) == 3 * ROUNDS
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    for row, own in zip(read, rows_of(session), strict=True):
        assert row == {k: "" if v is None else str(v) for k, v in own.items()}
    with pytest.raises(ConfigError, match="must end in"):
        write_table(tmp_path / "session.xlsx", session)


def test_parquet_holds_them_with_their_types(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    session = finished(sit_down("tender", "buyer_0", ROUNDS))
    path = tmp_path / "session.parquet"
    write_table(path, session)
    read = parquet.read_table(path).to_pylist()
    for row, own in zip(read, rows_of(session), strict=True):
        for name, value in own.items():
            if value is None:
                assert row[name] is None or np.isnan(row[name])
            else:
                assert row[name] == value
                assert type(row[name]) is type(value) or isinstance(value, int)


def test_an_empty_column_keeps_its_type(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    tables = []
    for rounds in (1, ROUNDS):
        session = finished(sit_down("brief", "supplier_0", rounds))
        path = tmp_path / f"{rounds}.parquet"
        write_table(path, session)
        tables.append(parquet.read_table(path).schema)
    assert tables[0].equals(tables[1])


def test_names_that_are_no_text_are_written_as_escapes(tmp_path):
    session = sit_down("auction", "bidder_0", 1)
    session.run = "run\udcff"
    finished(session)
    write_table(tmp_path / "a.csv", session)
    assert b"run\\udcff" in (tmp_path / "a.csv").read_bytes()
    pytest.importorskip("pyarrow")
    write_table(tmp_path / "a.parquet", session)
