"""The constant arrays of a game: kept for whoever asks again, made anew for anything else."""

from __future__ import annotations

import pytest

from tacit.envs import kpi as kpis
from tacit.envs.engine.game_arrays import KEPT, build_game
from tacit.envs.registry import make_market


def test_the_same_objects_give_the_same_arrays_and_no_others_do():
    market = make_market("ad_auction", {})
    tables = [kpis.resolve(market, {"bidder": {"profit": 1.0 + k}}) for k in range(KEPT + 1)]
    games = [build_game(market, table) for table in tables[:KEPT]]
    for table, game in zip(tables, games, strict=False):
        assert build_game(market, table) is game
    for k, game in enumerate(games):
        assert game.terms[0].max() == 1.0 + k
    build_game(market, tables[KEPT])  # one more than are kept: the first one goes
    again = build_game(market, tables[0])
    assert again is not games[0]
    assert all((a == b).all() for a, b in zip(again, games[0], strict=True))
    other = make_market("ad_auction", {"price_mix": 1})
    assert build_game(other, tables[0]).params is not games[0].params


def test_other_parameters_are_another_game():
    market = make_market("ad_auction", {})
    table = kpis.resolve(market, None)
    first = build_game(market, table)
    market.params = market.params + 1
    assert (build_game(market, table).params == first.params + 1).all()
    with pytest.raises(ValueError, match="read-only"):
        first.terms[0] = 0.0
