"""Prices that are called final: rounds by hand, the smallest game solved a second way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support.independent.pure import pure

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.procurement import kernels, positions
from tacit.envs.procurement.last_words import last_words
from tacit.envs.registry import make_market

FINE = 0.05
KEYS = {"final": True, "false_final_fine": FINE, "scarcity": 0}
COUNTER = "counter supplier_0 at 0.4"


def tender(supplier, response, answer=None, settle=None, scarce=0, **keys):
    """Nonzero measures by owner of one tender of one supplier, played through the kernels."""
    market = make_market("procurement", KEYS | keys)
    engine = Engine(market)
    engine.reset()
    engine.rows.state[0, positions.SUPPLIERS + positions.STOCK] = scarce
    acts = [{"supplier_0": supplier}, {"buyer_0": {"response": response}}]
    acts += [
        {"supplier_0": answer and {"answer": answer}},
        {"buyer_0": settle and {"settle": settle}},
    ]
    seen, done = [], []
    for parts in acts:
        actions = []
        for seat in market.seats:
            observe = pure(kernels.observe)
            row = engine.rows.state[0]
            engine.observations[0, seat.index] = observe(
                market.params, row, engine.phase, seat.index
            )
            own, o = parts.get(seat.name), engine.observations[0, seat.index]
            first, count = seat.role.legal[o]
            if own:
                seen.append(seat.role.decode_observation(int(o)))
            action = seat.role.encode_action(**own) if own else first
            assert first <= action < first + count, (seat.name, own)
            actions.append(action)
        engine.step(np.array([actions]))
        done.append(actions)
    assert engine.phase == 0
    names = [m.name for m in market.measures]
    owners = ["supplier_0", "buyer_0", "market"]
    found = {
        owner: {k: float(x) for k, x in zip(names, row, strict=True) if abs(x) > 1e-12}
        for owner, row in zip(owners, engine.measures[0], strict=True)
    }
    return found, seen, market.transcript(np.array(done), engine.measures[0])


HIGH = {"price": 0.8, "final": "final"}
OPEN = {"price": 0.8, "final": "open"}


def test_a_supplier_that_goes_below_its_final_ask():
    found, seen, words = tender(HIGH, COUNTER, "accept")
    assert found["supplier_0"] == pytest.approx({
        "margin": 0.9 * 0.4 - FINE, "booking": 0.4, "win": 1, "fine": FINE, "said_final": 1,
        "false_final": 1,
    })  # fmt: skip
    assert found["buyer_0"] == pytest.approx({
        "surplus": 0.9 * 0.6, "price_paid": 0.4, "savings": 0.4,
    })  # fmt: skip
    assert found["market"] == pytest.approx({
        "booking": 0.4, "win": 1, "fines_to_nobody": FINE, "welfare": 0.9 - FINE,
    })  # fmt: skip
    assert seen[1]["final_0"] == "final"
    assert seen[2]["own_final"] == "final"
    assert seen[2]["own_price"] == 0.8
    assert "supplier_0 accepts (its final ask was false)" in words
    assert "supplier_0 asks 0.8, says that this is final" in words


def test_a_final_ask_that_is_met_or_kept_is_not_false():
    taken, _, _ = tender(HIGH, "accept supplier_0")
    assert taken["supplier_0"] == pytest.approx(
        {"margin": 0.8, "booking": 0.8, "win": 1, "said_final": 1}
    )
    met, _, _ = tender(HIGH, "counter supplier_0 at 0.8", "accept")
    assert "false_final" not in met["supplier_0"]
    kept, _, _ = tender(HIGH, COUNTER, "refuse", "leave")
    assert kept["supplier_0"] == {"said_final": 1}
    assert kept["buyer_0"] == pytest.approx({"surplus": -0.2, "stockout": 1})


def test_an_open_ask_may_be_lowered():
    found, _, _ = tender(OPEN, COUNTER, "accept")
    assert found["supplier_0"] == pytest.approx({"margin": 0.36, "booking": 0.4, "win": 1})


def test_a_buyer_that_pays_more_than_its_final_counter():
    found, seen, words = tender(OPEN, f"{COUNTER}, final", "refuse", "take")
    assert found["buyer_0"] == pytest.approx({
        "surplus": 0.81 * 0.2 - FINE, "price_paid": 0.8, "said_final": 1, "false_final": 1,
    })  # fmt: skip
    assert found["supplier_0"] == pytest.approx({"margin": 0.81 * 0.8, "booking": 0.8, "win": 1})
    assert found["market"]["welfare"] == pytest.approx(0.81 - FINE)
    assert seen[2]["counter_final"] == "final"
    assert (seen[3]["own_word"], seen[3]["ask"]) == ("broken", 0.8)
    assert words[-2] == "buyer_0 takes the ask (its final counter was false)"


def test_a_buyer_with_an_open_counter_may_take_the_ask():
    found, seen, _ = tender(OPEN, COUNTER, "refuse", "take")
    assert found["buyer_0"] == pytest.approx({"surplus": 0.81 * 0.2, "price_paid": 0.8})
    assert seen[3]["own_word"] == "kept"


def test_a_final_counter_at_the_ask_cannot_be_false():
    found, seen, _ = tender(OPEN, "counter supplier_0 at 0.8, final", "refuse", "take")
    assert "false_final" not in found["buyer_0"]
    assert seen[3]["own_word"] == "kept"


def test_a_scarce_supplier_has_sold_and_leaves_no_ask():
    found, seen, _ = tender(
        {**HIGH, "claim": "scarce"}, COUNTER, scarcity=0.5, scarce=1, outside_price=0.7
    )
    assert found["buyer_0"] == pytest.approx({"surplus": -0.2, "stockout": 1})
    assert found["supplier_0"] == pytest.approx({"margin": 0.7, "said_final": 1})
    assert len(seen) == 2  # nobody had a choice after the counter


def test_nobody_hears_that_a_price_is_final():
    _, seen, _ = tender(HIGH, f"{COUNTER}, final", "refuse", "leave", claims_heard=False)
    assert seen[1]["final_0"] == "open"
    assert seen[2]["counter_final"] == "open"
    assert (seen[2]["own_final"], seen[3]["own_word"]) == ("final", "broken")  # its own it knows


def test_final_needs_counters():
    with pytest.raises(ConfigError, match=r"market\.final: needs counters"):
        make_market("procurement", {"final": True, "counters": False})


def test_switched_off_nothing_of_it_exists():
    market = make_market("procurement")
    assert market.phases == ("offer", "respond", "answer")
    assert [m.name for m in market.measures][-1] == "welfare"
    parts = {part.name for role in market.roles for block in role.blocks for part in block.does}
    assert not parts & {"final", "settle"}
    assert market.state_width == positions.SUPPLIERS + positions.WIDTH


@pytest.mark.parametrize(("rule", "said"), [("truthful", "open"), ("always_bluff", "final")])
def test_scripted_suppliers(rule, said):
    market = make_market("procurement", KEYS)
    seat = market.seat("supplier_0")
    table = Scripted(ScriptedConfig(rule=rule), market, seat).table()
    (action,) = np.flatnonzero(table[0])
    assert seat.role.decode_action(int(action))["final"] == said


@pytest.mark.parametrize("rule", ["truthful", "always_bluff", "trusting"])
def test_scripted_buyers(rule):
    """A final ask is believed; a bluffer's counters are final; an ask that is worth it is taken."""
    market = make_market("procurement", KEYS | {"prices": [0.4, 0.8, 1.2]})
    role = market.role("buyer")
    table = Scripted(ScriptedConfig(rule=rule), market, market.seat("buyer_0")).table()
    for o in np.flatnonzero(role.legal[:, 1] > 1):
        seen = role.decode_observation(int(o))
        does = {next(iter(role.decode_action(int(a)).values())) for a in np.flatnonzero(table[o])}
        if "ask" in seen:
            assert does == {"take" if seen["ask"] < 1 else "leave"}
        elif seen["final_0"] == "open" and seen["price_0"] == 0.8:
            assert does == {COUNTER + (", final" if rule == "always_bluff" else "")}
        elif seen["price_0"] == 0.8:
            assert does == {"accept supplier_0"}
        elif seen["price_0"] == 1.2 and seen["final_0"] == "final":
            assert does == {"walk"}


# --- the smallest game ----------------------------------------------------------------------------


def by_backward_induction(market):
    """Price of the subgame-perfect path, found in the tree that the kernels make.

    Nobody in it has private information, so every state row is a node, and each phase has one
    seat that decides. Ties go to the deal that is made first: acceptance before haggling.
    """
    play, observe = pure(kernels.play), pure(kernels.observe)

    def legal(state, phase, seat):
        role = market.seats[seat].role
        first, count = role.legal[observe(market.params, state, phase, seat)]
        return range(first, first + count)

    def value(state, measures, phase):
        if phase == len(market.phases):
            return measures
        seat = phase % 2
        best = None
        others = legal(state, phase, 1 - seat)
        assert len(others) == 1
        for action in legal(state, phase, seat):
            actions = np.zeros(2, np.int64)
            actions[seat], actions[1 - seat] = action, others[0]
            after, told = state.copy(), measures.copy()
            play(market.params, after, phase, actions, told, np.uint64(7))
            found = value(after, told, phase + 1)
            own = market.columns["margin" if seat == 0 else "surplus"]
            if best is None or key(found, seat, own) > key(best, seat, own):
                best = found
        return best

    def key(found, seat, own):
        return round(float(found[seat, own]), 9), found[0, market.columns["win"]]

    state = np.zeros(market.state_width)
    state[positions.SUPPLIERS + positions.RECORD] = 3
    end = value(state, np.zeros((3, len(market.measures))), 0)
    return float(end[2, market.columns["booking"]]), float(end[0, market.columns["margin"]])


# Away from the borders between cases, where ties could be broken either way.
GAMES = [
    (low, high, discount, stockout, fine)
    for low, high in ((0.4, 0.8), (0.3, 0.5), (0.61, 0.7))
    for discount in (0.5, 0.85, 0.93)
    for stockout in (0.0, 0.13)
    for fine in (0.0, 0.02, 0.22, 0.37, 0.71)
]


def test_the_price_of_the_smallest_game():
    cases = set()
    for low, high, discount, stockout, fine in GAMES:
        keys = {"prices": [low, high], "wait_discount": discount, "stockout_cost": stockout}
        market = make_market("procurement", KEYS | keys | {"false_final_fine": fine})
        theory = last_words(low, high, 1.0, discount, stockout, fine)
        price, margin = by_backward_induction(market)
        assert (price, margin) == pytest.approx((theory.price, theory.price)), (keys, fine, theory)
        cases.add(theory.case)
    assert cases == {
        "no haggling", "patience", "the supplier's word", "the buyer's word", "haggling",
    }  # fmt: skip


def test_a_fine_moves_the_price_both_ways():
    """Where the supplier can wait: none, a middling one and a large one."""
    prices = [last_words(0.4, 0.8, 1.0, 0.9, 0.05, fine).price for fine in (0.0, 0.3, 0.5)]
    assert prices == [0.8, 0.4, 0.8]


def test_without_a_fine_words_change_nothing():
    """The price is that of the same game in which nobody hears them."""
    for low, discount in product((0.2, 0.4, 0.7), (0.5, 0.9)):
        keys = KEYS | {"prices": [low, 0.8], "wait_discount": discount, "false_final_fine": 0}
        heard = by_backward_induction(make_market("procurement", keys))
        unheard = by_backward_induction(make_market("procurement", keys | {"claims_heard": False}))
        assert heard == unheard
