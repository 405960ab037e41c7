"""Command lines with something wrong in them, in this process: an exit code that is documented, a
line for each mistake, no traceback, no end that does not come.

Each is a command with some of its options, each with a value that suits it or not, misspelt or in
the wrong place, beside files and a finished run that are there. What would train, serve or wait for
a person is left out: these commands end where they would begin.
"""

from __future__ import annotations

import errno
import inspect
import io
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from unittest.mock import patch

import typer.main
from fuzz.trial import CONTROL, VALUES, Outcome, luck_of
from typer.models import OptionInfo

from tacit.envs.jit.loops import cache_folder
from tacit.training.cli import COMMANDS, audit, main
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.run_folder import RunFolder

COMMAND_OF = cache(typer.main.get_command)  # built once; a process of its own builds it anew
CODES = (0, 1, 2)  # 0: done; 1: done, and something is not as it should be; 2: mistakes
SMALL = ("train.rounds=2000", "train.measure_last=500", "seeds=2")
WORDS = (
    "small", "small", "small", "ad_auction", "volatility_kpi", "procurement_scms", "q_learning",
    "base", "bidder", "bidder_0", "profit", "clearing_price", "win_rate", "s0/b0/c0/r1200", "0:100",
    "bids.csv", "data.csv", "own.yaml", "bad.yaml", "none.csv", "none.yaml", "folder", "folder/x",
    "out.csv", "out.parquet", "out.html", "out.yaml", "out", "seeds=2", "market.reserve=.5",
    "market.nothing=1", "kpi=calm", "kpi.bidder.profit=x", "=", "=1", "a=", "tender", "bid", "firm",
    "day", "tender,firm", "time=t,value=v", "DD/MM/YYYY", "epoch", "max", "20", "-.05,.01", "why",
    "pause", "harm > 0", "harm >", "1; drop table deals", "--", "-", "---", "-x", "--no", "@",
)  # fmt: skip

# What most often stands behind an option or as an argument of this name.
SUITS = {
    "config": ("ad_auction", "own.yaml", "volatility_kpi"), "bids": ("bids.csv",),
    "data": ("data.csv",), "market": ("cloud_bandwidth", "ad_auction"), "tender": ("tender",),
    "bid": ("bid",), "bidder": ("firm",), "date": ("day",), "columns": ("time=t,value=v",),
    "arm": ("base",), "seat": ("bidder_0",), "policy": ("bidder_0",), "act": ("status", "pause"),
    "rounds": ("0:100", "50"), "deal": ("s0/b0/c0/r100",), "name": ("ad_auction", "new"),
    "output": ("out.csv", "out.html"), "write": ("out.yaml",), "csv": ("out.csv",),
    "results": ("results",), "measure": ("clearing_price",), "settings": ("seeds=2", "seed=3"),
    "where": ("harm > 0",), "replay": ("1", "all"), "by": ("me",), "reason": ("a test",),
    "decimal": (".",), "separator": (",",), "dates": ("MM/DD/YYYY",), "rho": ("-.05,.01",),
    "pace": ("max",), "to": ("-1",), "reserve": ("bid",), "session": ("one",),
}  # fmt: skip

COMPILE = (  # loops that take longer to compile than a trial may
    "calibrate cloud_bandwidth data.csv --columns time=t,value=v", "why small s0/b0/c0/r100",
    "calibrate ad_auction data.csv --columns time=t,value=v --parts 1", "best-response small",
    "report small", "play small --seat bidder_0 --rounds 1", "lint volatility_kpi",
    "audit verify small --replay 1", "deals small --evaluation 5",
)  # fmt: skip


def commands(folder: Path, count: int, first: int = 0) -> list[Outcome]:
    """`count` command lines, from seed `first` on."""
    outcome = Outcome("command lines", "exit code 0, 1 or 2; mistakes in words, no traceback")
    _prepare(folder)
    with _prepared(folder):
        for words in COMPILE:
            _tried(words.split())
        for seed in range(first, first + count):
            luck = luck_of("commands", seed)
            outcome.count(seed, lambda luck=luck: _tried(_line(luck), _output(luck)))
    return [outcome]


def _prepare(folder: Path) -> None:
    """A finished run and files, in a folder."""
    experiment = load("ad_auction", SMALL)
    run = RunFolder(folder / "results" / "small")
    if not run.summary.is_file():
        train_experiment(experiment, run, NoProgress())
    (folder / "folder").mkdir(exist_ok=True)
    rows = [f"t{k // 3},{100 + k % 7},f{k % 5},{1 + k // 3 % 28}/13/2021" for k in range(60)]
    (folder / "bids.csv").write_text("\n".join(["tender,bid,firm,day", *rows, ""]))
    rows = [f"2021-01-01 {k // 60:02}:{k % 60:02},{1 + 4 * (k % 17 == 0)}" for k in range(300)]
    (folder / "data.csv").write_text("\n".join(["t,v", *rows, ""]))
    (folder / "own.yaml").write_text("market: {name: ad_auction}\nseeds: 2\n")
    (folder / "bad.yaml").write_text("market: {name: ad_auction, biders: 2}\nseeds: [\n")


@contextmanager
def _prepared(folder: Path) -> Iterator[None]:
    """Within, the folder is where commands run, and none trains, serves or waits."""
    nothing = {
        "tacit.training.cli.train._train": None,
        "tacit.training.cli.prove._reproduce_all": [],
        "tacit.training.board.server.serve": 0,
        "tacit.training.studies.blame.blame": None,
        "tacit.training.studies.drill.drill": [],
        "tacit.training.record.reproduction.reproduce_run": None,
        "tacit.training.bench.trainer.train_bench": None,
        "tacit.training.cli.attend._page": None,
        "tacit.training.cli.play._play_in_browser": None,
    }
    own = {"HOME": str(folder), "COLUMNS": "100", "TACIT_CACHE": str(cache_folder())}
    before, showwarning = Path.cwd(), warnings.showwarning
    with ExitStack() as stack:
        for name, answer in nothing.items():
            import_module(name.rpartition(".")[0])
            stack.enter_context(patch(name, _ended(answer)))
        stack.enter_context(patch("tacit.training.cli.prove._reproduce", _ended([])))
        stack.enter_context(patch("typer.main.get_command", COMMAND_OF))
        stack.enter_context(patch.dict(os.environ, own))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
            warnings.showwarning = showwarning


class _Enough(BaseException):
    """A command got so far that it would train or serve."""


def _ended(answer: Any) -> Any:
    def instead(*arguments: Any, **options: Any) -> Any:
        raise _Enough

    return instead


@dataclass(frozen=True)
class Parameter:
    """A parameter of a command.

    Attributes:
        name: as in Python.
        options: `--arm`; empty: it is an argument.
        kind: its type, without None and list.
        several: it may stand several times.
        is_required: whether the command needs it.
    """

    name: str
    options: tuple[str, ...]
    kind: type
    several: bool
    is_required: bool


@cache
def _all_commands() -> dict[tuple[str, ...], list[Parameter]]:
    """The parameters of every command by its words, those of `audit` as well."""
    found = {(name,): _parameters(command) for _, name, command in COMMANDS}
    for command in audit.app.registered_commands:
        assert command.name is not None
        assert command.callback is not None
        found["audit", command.name] = _parameters(command.callback)
    return found


def _parameters(command: Callable[..., None]) -> list[Parameter]:
    found = []
    for name, own in inspect.signature(command, eval_str=True).parameters.items():
        if own.annotation is typer.Context:
            continue
        kinds, infos = [own.annotation], []
        if get_origin(own.annotation) is Annotated:
            inside, *infos = get_args(own.annotation)
            kinds = [inside]
        if get_origin(kinds[0]) in (Union, UnionType):
            kinds = [kind for kind in get_args(kinds[0]) if kind is not type(None)]
        several = get_origin(kinds[0]) is list
        kind = get_args(kinds[0])[0] if several else kinds[0]
        options: tuple[str, ...] = ()
        if infos and isinstance(infos[0], OptionInfo):
            options = tuple(infos[0].param_decls or (f"--{name.replace('_', '-')}",))
        found.append(Parameter(name, options, kind, several, own.default is own.empty))
    return found


def _line(luck: random.Random) -> list[str]:
    """A command line without the program's name."""
    if luck.random() < 0.05:
        return [_value(luck) for _ in range(luck.randint(0, 4))]
    words, parameters = luck.choice([*_all_commands().items()])
    line = list(words)
    for own in parameters:
        if not own.options:
            count = luck.choice((1,) * 9 + (0, 2, 3 * own.several))
            line += [_value(luck, own) for _ in range(count)]
        elif luck.random() < (0.95 if own.is_required else 0.15):
            option = luck.choice(own.options)
            line.append(option if luck.random() < 0.97 else option[:-1])
            if own.kind is not bool and luck.random() < 0.97:
                line.append(_value(luck, own))
    if luck.random() < 0.05:
        luck.shuffle(line)
    return line


def _value(luck: random.Random, of: Parameter | None = None) -> str:
    """A word: mostly one that some option takes, and for numbers mostly a number."""
    kind = luck.random()
    if of is not None and kind < 0.6 and of.kind in (int, float):
        return str(luck.choice((0, 1, 2, 3, 100, -1, 10**20, 0.5)))
    if of is not None and kind < 0.8 and of.name in ("run", "runs", "target"):
        return "small"
    if of is not None and kind < 0.8 and of.name in SUITS:
        return luck.choice(SUITS[of.name])
    if kind < 0.9:
        return luck.choice(WORDS)
    return str(luck.choice(VALUES)).replace("\0", "").replace("\ud800", "\udcff")


class _FullDisk(io.StringIO):
    """Standard output on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _output(luck: random.Random) -> io.TextIOBase:
    """What standard output leads to; a tenth of the terminals shows ASCII alone."""
    kind = luck.random()
    if kind < 0.1:
        return _FullDisk()
    if kind < 0.2:
        return io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    return io.StringIO()


def _text(stream: Any) -> str:
    """What a stream was sent."""
    if isinstance(stream, io.TextIOWrapper):
        return stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    return str(stream.getvalue())


def _tried(line: list[str], out: io.TextIOBase | None = None) -> str:
    """Run it; how it ended."""
    out, err = out or io.StringIO(), io.StringIO()
    streams = (sys.stdin, sys.stdout, sys.stderr, sys.argv)
    sys.stdin, sys.stdout, sys.stderr, sys.argv = io.StringIO(), out, err, ["tacit", *line]
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except _Enough:
        return "began"
    except Exception as error:
        return f"failed: {line}: {type(error).__name__}: {error}"
    finally:
        sys.stdin, sys.stdout, sys.stderr, sys.argv = streams
    told = _text(out) + _text(err)
    bad = [word for word in (*CONTROL, "Traceback", "object at 0x") if word in told]
    if code not in CODES or bad:
        return f"failed: {line}: exit code {code}, {bad}: {told[-300:]}"
    if code and not told.strip():
        return f"failed: {line}: exit code {code} without a word"
    return f"exit {code}"
