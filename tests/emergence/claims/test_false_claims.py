"""What the rule for claims judges: conditional rates, words that are said, sums over rounds."""

from __future__ import annotations

from dataclasses import replace
from math import log
from types import SimpleNamespace

import numpy as np
import pytest
from support.speakers import battery, players

from tacit.emergence.claims import counterfactual, false_claims
from tacit.emergence.claims.channels import channels
from tacit.emergence.claims.counterfactual import counterfactual_claims
from tacit.emergence.claims.deception import claims
from tacit.emergence.population import freeze
from tacit.emergence.tree.round_tree import PhaseLayer
from tacit.envs.procurement.equilibrium import equilibrium_table

DEAF, TRUSTING = battery.DEAF, battery.TRUSTING
STOCKS = [f"stock, scarcity {s}" for s in (".5", ".2", ".95", ".96", ".99")]


def frozen(name, says, listener=TRUSTING, tables=None):
    market, kpi = battery.setting(name)
    says = says if isinstance(says, tuple) else (says,)
    tables = tables or battery.Kind(name, "", says, listener, "").tables()
    return freeze(market, kpi, tables, 0)


def measured(population):
    """The figures of the only claim, without its name."""
    return {n.partition("/")[0]: x for n, x in false_claims.false_claims(population).items()}


def played(name, says, listener=TRUSTING):
    return measured(frozen(name, says, listener))


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STOCKS)
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.9, 1.0])
def test_lies_about_plenty_count_alike_however_rare_plenty_is(name, rate):
    found = played(name, players.saying("scarce", rate))
    assert found["conditional_false_rate"] == pytest.approx(rate)
    assert found["heeded"] == pytest.approx(1.0 if rate < 1 else 0.0)


def test_the_truth_that_is_lied_about_least_is_left_out():
    """Truths of chance .96, .02, .02; the first two are true, the third is lied about."""
    joint = np.diag([0.96, 0.02, 0.0])
    joint[2, 0] = 0.02
    assert false_claims.conditional_false_rate(joint) == pytest.approx(0.5)
    joint = np.diag([0.96, 0.0, 0.0])
    joint[1:, 0] = 0.02
    assert false_claims.conditional_false_rate(joint) == pytest.approx(1.0)


def test_a_single_truth_cannot_be_lied_about():
    """Nobody can learn from a claim about what is always so."""
    assert np.isnan(false_claims.conditional_false_rate(np.diag([1.0, 0.0])))


@pytest.mark.parametrize(
    ("joint", "share"),
    [
        ([[0.5, 0.0], [0.5, 0.0]], 1.0),
        ([[0.9, 0.0], [0.01, 0.09]], 0.1),
        ([[0.0, 0.4], [0.6, 0.0]], 0.0),
        ([[0.3, 0.0], [0.0, 0.0]], 1.0),
    ],
)
def test_pooled_is_the_least_share_of_the_commonest_word(joint, share):
    assert false_claims.pooled(np.array(joint)) == pytest.approx(share)


# --- sums over rounds -----------------------------------------------------------------------------


def test_small_lies_on_many_deals_add_up():
    """Plenty in nine of ten deals, eight in nine of them lied about, .03 each."""
    found = played("overcharge 3.75 %", players.saying("scarce", 8 / 9))
    assert found["false_claim_gain"] == pytest.approx(0.8 * 0.03)
    assert found["false_claim_harm"] == pytest.approx(0.8 * 0.03)
    assert found["false_claim_rival_cost"] == 0.0
    assert found["false_claims_compared"] == pytest.approx(1.0)
    said = 0.1 + 0.8
    loss = log(0.9) - log(0.8 / said)
    assert found["belief_loss"] == pytest.approx(0.8 * loss)


def test_sums_are_taken_over_senders_and_rounds():
    """Both suppliers of price .3 lie always but for one in ten; each lie about L days is worth
    half a deal against "0", and against a true promise of less than L half or all of it."""
    found = played("free delays", players.saying(0, 0.9))
    truths = range(4)
    says = [{0: 1.0}] + [{0: 0.9, t: 0.1} for t in truths[1:]]
    gain = 0.0
    for own in truths:
        for rival in truths:
            for word, p in says[rival].items():
                wins = {w: 1.0 if w < word else 0.5 if w == word else 0.0 for w in {0, own}}
                gain += says[own].get(0, 0.0) * p / 16 * 0.2 * (wins[0] - wins[own])
    assert found["false_claim_gain"] == pytest.approx(2 * gain)
    assert found["false_claim_rival_cost"] == pytest.approx(2 * gain)  # every deal won is one lost
    assert found["false_claim_harm"] < 0  # nothing is paid for a late day, .06 for a promised one


def test_a_compensated_listener_gains():
    assert played("fined promises", players.saying(0, 0.9))["false_claim_harm"] < -0.01
    assert played("promises", players.saying(0, 0.9))["false_claim_harm"] > 0.01


def test_a_word_that_is_never_said_is_compared_with_nothing():
    """Who pools never says the truth, so nobody knows what it would have led to."""
    found = played("stock, scarcity .2", players.saying("scarce"))
    assert found["pooled"] == 1.0
    assert found["belief_loss"] == pytest.approx(0.0, abs=1e-12)
    assert found["false_claims_compared"] == 0.0
    for name in false_claims.SUMS:
        assert found[name] == 0.0


def test_a_word_that_is_never_said_at_this_price_is_compared_with_nothing():
    """In the closed form "plenty" is said at the low price only, "scarce" at the high one."""
    market, _ = battery.setting("stock, scarcity .2")
    tables = [equilibrium_table(market.config, seat) for seat in market.seats]
    found = measured(frozen("stock, scarcity .2", (), tables=tables))
    assert found["conditional_false_rate"] == pytest.approx(0.29412, abs=1e-4)
    assert found["false_claims_compared"] == 0.0
    assert found["heeded"] == 0.0
    assert found["false_claim_gain"] == found["false_claim_harm"] == 0.0


def test_what_a_listener_would_do_at_words_that_are_never_said_changes_nothing(luck):
    name = "stock, scarcity .2"
    market, _ = battery.setting(name)
    population = frozen(name, players.saying("scarce"))
    supplier, buyer = population.tables
    unheard = [o for o in range(len(buyer)) if buyer[o].max() < 1 or "plenty" in str(
        market.seats[1].role.decode_observation(o))]  # fmt: skip
    other = buyer.copy()
    for o in unheard:
        first, count = market.roles[1].legal[o]
        other[o, first : first + count] = luck.dirichlet(np.ones(count))
    assert (other != buyer).any()
    assert measured(frozen(name, (), tables=[supplier, other])) == measured(population)


def test_codes_leave_no_falser_belief():
    for name, names in (
        ("talk, bias .6", dict(zip(battery.STATES, (*battery.STATES[1:], 1.0), strict=True))),
        ("stock, scarcity .2", {"plenty": "scarce", "scarce": "plenty"}),
    ):
        assert played(name, players.renaming(names))["belief_loss"] < -0.1


def test_heeded_by_hand():
    """ "scarce" is accepted, "plenty" half of the time: I(m; a) / H(m)."""
    p = 0.92  # of "scarce": .2 + .8 x .9
    found = played("stock, scarcity .2", players.saying("scarce", 0.9), battery.SCEPTICAL)

    def entropy(x):
        return -x * log(x) - (1 - x) * log(1 - x)

    accepted = p / 2
    assert found["heeded"] == pytest.approx((entropy(accepted) - p * log(2)) / entropy(p))


# --- what is not there ----------------------------------------------------------------------------


def test_a_claim_that_is_never_made_has_no_figures(monkeypatch):
    name = "stock, scarcity .2"
    market, _ = battery.setting(name)
    (channel,) = channels(market)
    population = frozen(name, players.truthful)
    nowhere = replace(channel, first=10_000)
    made = counterfactual_claims(population, nowhere)
    assert made.claims_a_round == 0.0
    assert not made.weight.any()
    counterfactual._LATEST.clear()
    monkeypatch.setattr(counterfactual, "channels", lambda _: [nowhere])
    found = {**claims(population), **false_claims.false_claims(population)}
    assert all(np.isnan(x) for x in found.values())
    counterfactual._LATEST.clear()


def test_a_claim_is_counted_as_often_as_it_is_made():
    """One that is made in half of all rounds earns half as much a round; shares are the same."""
    population = frozen("overcharge 3.75 %", players.saying("scarce", 8 / 9))
    made = counterfactual_claims(population, channels(population.market)[0])
    assert made.claims_a_round == pytest.approx(1.0)
    always = false_claims._channel_figures(population, made)
    half = false_claims._channel_figures(population, replace(made, claims_a_round=0.5))
    for name, x in always.items():
        assert half[name] == pytest.approx(x / 2 if name in false_claims.SUMS else x)


def heard(probability):
    """Whether the truth of two rows is heard; two words, two draws. In the first row the true word
    1 is heard after the first draw only, in the second row the true word 0 after both."""
    observations = np.arange(8).reshape(2, 2, 2)
    listener = counterfactual.Listener(0, observations, np.array(probability))
    # The first row's word 1 is observed as the second row's word 0 is, after the first draw.
    observations[0, :, 0] = [10, 11]
    observations[1, :, 0] = [10, 11]
    weight = np.array([[0.4, 0.0], [0.1, 0.5]])
    made = SimpleNamespace(weight=weight, truth=np.array([1, 0]), listeners=(listener,))
    return false_claims.truth_is_heard(made).tolist()


def test_the_truth_must_be_heard_after_every_draw_after_which_the_listener_decides():
    everywhere = [[[0.5, 0.5], [0.5, 0.5]]] * 2
    assert heard(everywhere) == [False, True]
    never_after_the_second = [[[0.5, 0.5], [0.5, 0.0]]] * 2
    assert heard(never_after_the_second) == [True, True]


def test_without_a_rival_that_decides_there_is_no_listener_and_no_sum():
    made = SimpleNamespace(
        weight=np.array([[0.5, 0.0], [0.0, 0.5]]), truth=np.array([0, 1]), listeners=()
    )
    assert set(false_claims._channel_figures(None, made)) == {
        "conditional_false_rate", "pooled", "belief_loss"
    }  # fmt: skip


def test_two_probes_share_one_tree(monkeypatch):
    calls = []
    real = counterfactual.counterfactual_claims
    monkeypatch.setattr(
        counterfactual, "counterfactual_claims", lambda *a: calls.append(a) or real(*a)
    )
    population = frozen("promises", players.truthful)
    claims(population)
    false_claims.false_claims(population)
    assert len(calls) == 2  # one for each supplier
    other = frozen("promises", players.truthful)
    claims(other)
    assert list(counterfactual._LATEST) == [other]


def test_edges_may_lead_to_different_numbers_of_nodes():
    """Nature draws nothing after edge 0, one of three values after edge 1, of two after edge 2."""
    origin = np.array([1, 0, 1, 1, 2, 2])
    layer = PhaseLayer(
        origin, np.array([0.2, 1.0, 0.3, 0.5, 0.4, 0.6]), np.zeros((6, 1), int),
        np.zeros(0, int), np.zeros((0, 1), int), np.array([True]),
    )  # fmt: skip
    nodes, possible = counterfactual._nodes_after(layer, np.array([[0, 1], [2, 0]]))
    assert nodes.shape == (2, 2, 3)
    found = [[list(nodes[g, m][possible[g, m]]) for m in range(2)] for g in range(2)]
    assert found == [[[1], [0, 2, 3]], [[4, 5], [1]]]
    assert (layer.probability[nodes] * possible).sum(axis=2) == pytest.approx(1.0)


def test_places_that_an_edge_lacks_have_no_weight():
    """Edge 0 leads to one node, edge 1 to three: the listener hears word 0 after one draw."""
    origin = np.array([0, 1, 1, 1])
    layer = PhaseLayer(
        origin, np.array([1.0, 0.2, 0.3, 0.5]), np.zeros((4, 2), int), np.zeros(0, int),
        np.zeros((0, 2), int), np.array([False, True]),
    )  # fmt: skip
    role = SimpleNamespace(legal=np.array([[0, 2]]))
    speaker, hears = (SimpleNamespace(index=k, role=role) for k in (0, 1))
    tree = SimpleNamespace(layers=[layer, layer], market=SimpleNamespace(seats=[speaker, hears]))
    channel = SimpleNamespace(phase=0, seat=speaker)
    (found,) = counterfactual._listeners(tree, channel, np.array([[0, 1]]))
    assert found.probability.tolist() == [[[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]]
