"""`tacit calibrate` and `tacit screen`: a user's own data."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tacit.training.plain_text import say

from .options import DEFAULT_RESULTS, JsonFlag, Results, Wide


def calibrate(
    context: typer.Context,
    market: Annotated[str, typer.Argument(help="a market; see tacit list")],
    data: Annotated[Path, typer.Argument(help="a CSV file with a header", metavar="DATA.csv")],
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN,...", help="which column is what (repeatable)"),
    ] = None,
    dates: Annotated[
        list[str] | None,
        typer.Option(help="format of dates: DD/MM/YYYY, epoch, index, %m.%Y (repeatable)"),
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="text that stands for nothing (repeatable)")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar=".|,", help="decimal mark (default: found)")
    ] = None,
    source: Annotated[str, typer.Option(help="where the data are from, for the preset")] = "",
    write: Annotated[Path | None, typer.Option(help="write the preset to this YAML file")] = None,
    as_json: JsonFlag = False,
    wide: Wide = False,
) -> None:
    """Fit a market to your data; quantiles of the file beside those of the market, played."""
    from tacit.training.calibrate import Request, report
    from tacit.training.calibrate import calibrate as fit_and_compare
    from tacit.training.calibrate.preset import check_target, preset_text, write_preset
    from tacit.training.show.terminal import TextTable, console

    options = _options(context.args)
    request = Request(
        ",".join(columns or ()), tuple(dates or ()), tuple(missing or ()), decimal, options
    )
    if write is not None:
        check_target(write)
    result = fit_and_compare(market, data, request)
    if write is not None:
        write_preset(write, preset_text(result, request, source, write.name))
    if as_json:
        print(json.dumps(report.as_json(result), allow_nan=False))
    else:
        out = console(wide=wide)
        out.print(report.title(result), soft_wrap=True)
        out.print(TextTable(report.rows(result)))
        out.print(report.NEAR)
        if write is None:
            out.print("\n" + report.fitted_keys(result))
        else:
            out.print(f"wrote {write}; next: tacit train {write}", soft_wrap=True)
    if not result.within:
        sys.exit(1)


def _options(words: list[str]) -> dict[str, Any]:
    """`--interval 60 --parts=24` as data; the market's fit checks names and values.

    Raises:
        ConfigError: a word that is no option, or an option without a value.
    """
    from tacit.envs.errors import ConfigError
    from tacit.training.config.files import parse

    options: dict[str, Any] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise ConfigError(f"{word}: is no option of tacit calibrate.")
        if not equals:
            if not waiting:
                raise ConfigError(f"{word}: needs a value.")
            value = waiting.pop(0)
        if name in options:
            raise ConfigError(f"--{name}: is given twice; it takes one value.")
        options[name] = parse(value, word)
    return options


def screen(
    bids: Annotated[Path, typer.Argument(metavar="BIDS.csv", help="one bid a row")],
    tender: Annotated[
        str, typer.Option("--tender", metavar="C", help="column: which tender; or: notice,lot")
    ],
    bid: Annotated[str, typer.Option("--bid", metavar="C", help="column: the bid; lowest wins")],
    bidder: Annotated[
        str | None, typer.Option("--bidder", metavar="C", help="who bid: adds rotation and pairs")
    ] = None,
    reserve: Annotated[
        str | None, typer.Option("--reserve", metavar="C", help="bids become shares of it")
    ] = None,
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="C", help="adds time; or three: year,month,day"),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", metavar=".|,", help="decimal mark (default: found)")
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option("--dates", metavar="FORMAT", help="DD/MM/YYYY, epoch, %m.%Y (default: found)"),
    ] = None,
    separator: Annotated[
        str | None, typer.Option("--separator", metavar="C", help="between cells (default: found)")
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="a row is a tender: firm;bid;firm;bid, or bid_1;bid_2")
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="of a bidder's bids in a tender, the last counts")
    ] = False,
    rho: Annotated[str, typer.Option("--rho", help="where D(rho) is read")] = "-.05,-.01,.01,.05",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON alone")] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Screens for arranged bids on BIDS.csv, beside a competitive control: a reason to look."""
    from tacit.training.screening import BidColumns, parse_rhos, report
    from tacit.training.screening import screen as run_screens
    from tacit.training.screening.figure import draw
    from tacit.training.screening.json_report import as_json as json_of
    from tacit.training.show.terminal import TextTable, console

    columns = BidColumns(tender, bid, bidder, reserve, date, decimal, dates, separator, wide, last)
    done = run_screens(bids, columns, parse_rhos(rho))
    figure = results / "screen" / f"{bids.stem}.png"
    draw(done, figure)
    if as_json:
        print(json.dumps(json_of(done), allow_nan=False))
        return
    out = console()
    for line in report.heading(done):
        out.print(line, soft_wrap=True)
    out.print(TextTable(report.rows(done)))
    for line in report.remarks(done):
        out.print(line, soft_wrap=True)
    say(f"figure: {figure}")
