"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path, typer.Option("--results", help="where runs are kept")]
Config = Annotated[str, typer.Argument(help="an experiment, a market, or a YAML file")]
Settings = Annotated[
    list[str] | None, typer.Argument(help="key=value, applied last, over every arm")
]
ArmOption = Annotated[list[str] | None, typer.Option("--arm", help="only this arm (repeatable)")]
JsonFlag = Annotated[bool, typer.Option("--json", help="print the summary alone, as JSON")]
Wide = Annotated[
    bool, typer.Option("--wide", help="every column, in one piece however wide the table is")
]
DEFAULT_RESULTS = Path("results")  # as in `tacit.training.storage.run_folder`
