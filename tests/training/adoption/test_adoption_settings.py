"""`adoption` in an experiment file: what it means, and what is refused, all at once."""

from __future__ import annotations

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.config.load import load

ONE, TWO, THREE = (["provider_0", "provider_1", "provider_2"][:n] for n in (1, 2, 3))
SHARED = {f"policies.vendor_{k}": seats for k, seats in (("a", TWO),)}
FILE = {
    "market": {"name": "cloud_bandwidth", "providers": 3, "prices": 3},
    "arms": {"one": {}, "two": SHARED, "three": {"policies.vendor_a": THREE}},
}
ADOPTION = {"measure": "price", "alone": "one",
            "series": {"weights": {"one": ONE, "two": TWO, "three": THREE}}}  # fmt: skip


def mistakes(adoption, **more):
    with pytest.raises(ConfigError) as error:
        load(FILE | {"adoption": adoption} | more)
    return error.value.mistakes


def with_series(**series):
    return ADOPTION | {"series": series}


def test_a_series_is_judged_at_the_last_arm_in_which_most_seats_adopt():
    own = load(FILE | {"adoption": ADOPTION}).file.adoption
    assert own.widest("weights") == "three"
    assert own.arms_of("weights") == ["one", "two", "three"]
    apart = load(FILE | {"adoption": with_series(b={"three": THREE, "two": TWO})}).file.adoption
    assert apart.arms_of("b") == ["two", "three", "one"]  # the null is drawn from `one`


@pytest.mark.parametrize(
    ("adoption", "line"),
    [
        (with_series(),
         "adoption.series: names no series of arms, so nobody adopts anywhere."),
        (with_series(w={}),
         "adoption.series.w: needs arms with at least two numbers of adopters, got no arm."),
        (with_series(w={"two": TWO, "three": TWO}),
         "adoption.series.w: needs arms with at least two numbers of adopters, got only 2."),
        (with_series(w={"one": [], "two": TWO}),
         "adoption.series.w.one: names no seat that adopts."),
        (with_series(w={"one": ONE, "two": ["provider_1", "provider_1"]}),
         "adoption.series.w.two: names provider_1 twice."),
        (with_series(w={"one": ONE, "two": TWO}, v={"one": ONE, "two": TWO}),
         "adoption.series.v: ends in two, and so does w: a word needs an arm of its own."),
        (with_series(w={"one": ONE, "tow": TWO}),
         "adoption.series.w: unknown arm 'tow'. Did you mean 'two'?"),
        (ADOPTION | {"alone": "none"},
         "adoption.alone: unknown arm 'none'. Did you mean 'one'?"),
        (ADOPTION | {"alone": "two"},
         "adoption.alone: in two seats share a vendor (provider_0, provider_1); nobody may."),
        (with_series(w={"one": ["provider_7"], "two": TWO}),
         "adoption.series.w.one: unknown seat 'provider_7'. Did you mean 'provider_2'?"),
        (ADOPTION | {"measure": "prize"},
         "adoption.measure: a provider has no measure 'prize'. Did you mean 'price'?"),
        (ADOPTION | {"measure": "quantity"},
         "adoption.measure: cloud_bandwidth has no two benchmarks, competitive and collusive, of "
         "'quantity', so a rise cannot be measured."),
        ({"alone": "one", "series": {}}, "adoption.measure: missing."),
    ],
)  # fmt: skip
def test_refused(adoption, line):
    assert line in mistakes(adoption)


def test_each_mistake_is_told_once():
    assert len(mistakes(ADOPTION | {"measure": "prize"})) == 1


def test_arms_with_other_markets_are_refused():
    arms = FILE["arms"] | {"two": SHARED | {"market.prices": 4}}
    assert mistakes(ADOPTION, arms=arms) == [
        "adoption.series.weights: two and one have different markets, so adopters' numbers are not "
        "all that differs."
    ]


def test_adopters_of_two_roles_are_refused():
    market = FILE["market"] | {"tenants": 1, "capacity": 1}
    both = with_series(w={"one": ONE, "two": ["provider_0", "tenant_0"]})
    assert "adoption.series.w.two: adopters must be of one role, got provider and tenant." in (
        mistakes(both, market=market)
    )


def test_a_figure_of_adopters_needs_adopters():
    with pytest.raises(ConfigError) as error:
        load(FILE | {"figure": {"adoption": True}})
    assert error.value.mistakes == [
        "figure.adoption: draws series of adopters, and the file has no adoption."
    ]


def test_single_arms_can_be_trained_one_after_the_other():
    assert list(load(FILE | {"adoption": ADOPTION}, arms=["two"]).arms) == ["two"]
