"""How numbers and dates of a column are read: the only way, or the two that are possible."""

from __future__ import annotations

import math
from contextlib import contextmanager

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.user_files.date_format import (
    TwoDates,
    find_date_format,
    format_named,
    rare_formats,
)
from tacit.training.user_files.number_format import (
    NumberFormat,
    TwoReadings,
    TwoUnits,
    find_number_format,
    unit_of,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("texts", "numbers", "text"),
    [
        (["1234.5", "7", ".5", "-3."], [1234.5, 7, 0.5, -3], "decimal point"),
        (["1e3", "2"], [1000, 2], "decimal point"),
        (["1234,5", "7"], [1234.5, 7], "decimal comma"),
        (["1,234.50", "950.25"], [1234.5, 950.25], "decimal point, commas between thousands"),
        (["1.234,50", "950,25"], [1234.5, 950.25], "decimal comma, points between thousands"),
        (["1 234,50", "950,2"], [1234.5, 950.2], "decimal comma, blanks between thousands"),
        (["1\u202f234\u202f567.5"], [1234567.5], "decimal point, blanks between thousands"),
        (["1'234.50", "12"], [1234.5, 12], "decimal point, apostrophes between thousands"),
        (["12.345", "9.871", "101.2"], [12.345, 9.871, 101.2], "decimal point"),
        (["0.123", "0.951"], [0.123, 0.951], "decimal point"),  # no thousand begins with 0
        (["1.234.567", "950"], [1234567, 950], "decimal comma, points between thousands"),
        (["12", "13"], [12, 13], "decimal point"),
        (
            ["$1,234.50", "-$950.00"],
            [1234.5, -950],
            "decimal point, commas between thousands, in $",
        ),
        (
            ["1.234,50 €", "950,00 €"],
            [1234.5, 950],
            "decimal comma, points between thousands, in €",
        ),
        (["USD 5", "7 USD", "8"], [5, 7, 8], "decimal point, in USD"),
        (["12.5%", "3%"], [12.5, 3], "decimal point, in %"),
        (["3,5 kW", "950 kW"], [3.5, 950], "decimal comma, in kW"),
        (["F1", "F2"], [math.nan] * 2, "decimal point"),  # names of firms
    ],
)
def test_one_way_reads_a_column(texts, numbers, text):
    way = find_number_format(texts)
    assert [way.read(t) for t in texts] == pytest.approx(numbers, nan_ok=True)
    assert way.text == text


@pytest.mark.parametrize(
    ("texts", "shown", "told"),
    [
        (
            ["1.023", "950"],
            "'1.023' can be 1.023 (decimal point) or 1023 (decimal comma, points",
            ".",
        ),
        (
            ["974", "1,125"],
            "'1,125' can be 1.125 (decimal comma) or 1125 (decimal point, commas",
            ",",
        ),
    ],
)
def test_two_ways_are_asked_about(texts, shown, told):
    with pytest.raises(TwoReadings) as both:
        find_number_format(texts)
    assert str(both.value).startswith(shown)
    assert find_number_format(texts, told) == NumberFormat(told)
    other = {".": ",", ",": "."}[told]
    assert find_number_format(texts, other) == NumberFormat(other, told)


@pytest.mark.parametrize(
    "text", ["", "x", "1_000", "nan", "inf", "-Infinity", "1,2,3", "12 USD", "1..2", "0x10", "--1"]
)
def test_what_is_no_number(text):
    for way in (NumberFormat("."), NumberFormat(","), NumberFormat(".", ",")):
        assert math.isnan(way.read(text))


def test_groups_are_of_three_with_one_mark():
    way = NumberFormat(",", " \u202f")
    assert way.read("12 345 678") == 12_345_678
    assert all(math.isnan(way.read(t)) for t in ("1 2345", "12 34", "1 234\u202f567", "1234 567"))
    assert way.read("1234,5") == 1234.5  # without marks


@pytest.mark.parametrize(
    ("texts", "seconds", "name"),
    [
        (["1970-01-02", "1970/1/3", "1970.01.04"], [DAY, 2 * DAY, 3 * DAY], "YYYY-MM-DD"),
        (["1970-01-01T01:02:03.5"], [3723.5], "YYYY-MM-DD"),
        (["1970-01-02 00:00:00+02:00", "1970-01-02T00:00Z"], [DAY - 7200, DAY], "YYYY-MM-DD"),
        (["13/01/1970", "02/01/1970"], [12 * DAY, DAY], "DD/MM/YYYY"),
        (["01/13/1970", "01/02/1970 1:30 PM"], [12 * DAY, DAY + 48_600], "MM/DD/YYYY"),
        (["02.01.1970"], [DAY], "DD/MM/YYYY"),  # with points the day comes first
        (["05/05/1970", "05/05/1970"], [124 * DAY] * 2, "DD/MM/YYYY"),  # the same day either way
        (["19700102", "19700103"], [DAY, 2 * DAY], "YYYYMMDD"),
        (["2 Jan 1970", "3-February-1970"], [DAY, 33 * DAY], "DD Mon YYYY"),
        (["Jan 2, 1970"], [DAY], "Mon DD, YYYY"),
        (["1729900800", "1729901100.5"], [1729900800, 1729901100.5], "epoch"),
        (["1729900800000"], [1729900800], "epoch_ms"),
        (["1729900800000000"], [1729900800], "epoch_us"),
        (["2007", "2008"], [2007, 2008], "index"),
        (["0", "1", "2"], [0, 1, 2], "index"),
    ],
)
def test_one_way_reads_dates(texts, seconds, name):
    form = find_date_format(texts)
    assert form.name == name
    assert [form.read(t)[0] for t in texts] == seconds


def test_the_clock_that_was_shown_is_told_beside_the_moment():
    assert find_date_format(["1970-01-02T00:00-05:30"]).read("1970-01-02T00:00-05:30") == (
        DAY + 19_800,
        -19_800,
    )


def test_day_or_month_first_is_asked_about():
    with pytest.raises(TwoDates) as both:
        find_date_format(["05/05/2021", "03/04/2021"])
    assert str(both.value) == (
        "'03/04/2021' can be 2021-04-03 (DD/MM/YYYY) or 2021-03-04 (MM/DD/YYYY)"
    )


@pytest.mark.parametrize("text", ["03.2021", "2021-13-01", "2021-02-30", "x", "13:00", "1.5.21"])
def test_what_is_no_date(text):
    assert math.isnan(find_date_format([text]).read(text)[0])


def test_a_format_is_named_by_its_name_or_as_of_strptime():
    assert format_named("mm/dd/yyyy").read("01/02/1970") == (DAY, 0.0)
    assert format_named("%m.%Y").read("02.1970") == (31 * DAY, 0.0)
    assert format_named("%Y-%m-%d %z").read("1970-01-02 +0100") == (DAY - 3600, 3600)
    assert math.isnan(format_named("%m.%Y").read("1970")[0])
    with pytest.raises(ConfigError, match=r"--dates: unknown 'DD/MM'. .*DD/MM/YYYY.*strptime"):
        format_named("DD/MM")


def test_many_whole_numbers_are_read_at_once():
    """Digits alone are the same number in every way, so none is tried on them."""
    way = find_number_format(str(k) for k in range(1000))
    assert way == NumberFormat(".")
    assert find_number_format(["1", "2"], ",") == NumberFormat(",")


@pytest.mark.parametrize("exception", [TwoReadings("x", ()), TwoDates("x", ())])
def test_two_readings_pass_through_contexts(exception):
    """`contextmanager` sets the traceback of what passes through it."""

    @contextmanager
    def within():
        yield

    with pytest.raises(type(exception)), within():
        raise exception


@pytest.mark.parametrize("few", [["1.5"], ["2.25", "1.5"], ["x"]])
def test_a_few_cells_do_not_decide_what_a_mark_means(few):
    """Demand near 1,000 of which one value was typed with decimals, or is none."""
    texts = [f"1.{k:03}" for k in range(1, 120)] + [str(k) for k in range(900, 999)]
    with pytest.raises(TwoReadings):
        find_number_format(texts + few)
    assert find_number_format(texts + few, ".") == NumberFormat(".")


def test_numbers_of_three_decimals_are_known_by_the_zeros_that_are_not_written():
    texts = [f"{k / 1000:g}" for k in range(1001, 1201)]
    assert find_number_format(texts) == NumberFormat(".")


def test_numbers_in_several_units_are_refused():
    with pytest.raises(TwoUnits, match="several units: EUR, PLN"):
        find_number_format(["5 EUR", "6 EUR", "7 PLN"])
    # Most name none: those that do are no numbers, and left out with a reason.
    assert math.isnan(find_number_format(["5", "6", "7 PLN"]).read("7 PLN"))


@pytest.mark.parametrize(
    ("text", "unit"),
    [("$5", "$"), ("5 €", "€"), ("EUR 1.5", "EUR"), ("1,5PLN", "PLN"), ("5", ""), ("5 kg", "kg"),
     ("withdrawn", ""), ("$5 USD", ""), ("5%", "%"), ("F1", ""), ("-$5", "$"), ("5 zł", "zł"),
     ("1e5", ""), ("12:30", ""), ("", "")],
)  # fmt: skip
def test_which_unit_a_number_names(text, unit):
    assert unit_of(text) == unit


@pytest.mark.parametrize(
    ("text", "formats"),
    [("02-Jun-06", "--dates %d-%b-%y"), ("03.2021", "--dates %m.%Y"), ("2021-03", "--dates %Y-%m"),
     ("03/04/21", "--dates %d/%m/%y or --dates %m/%d/%y"), ("13/04/21", "--dates %d/%m/%y"),
     ("soon", "")],
)  # fmt: skip
def test_which_rare_format_a_text_may_have(text, formats):
    assert rare_formats(text) == formats
