"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

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


def _label(parameter: Any) -> str:
    """How a user writes a parameter: `--by`, `RUN`."""
    if isinstance(parameter, TyperOption):
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name).upper()


def _is_given(value: Any) -> bool:
    """Whether the parser found a value; what it did not find is None, empty, or its own mark."""
    return isinstance(value, str) or (isinstance(value, list | tuple) and len(value) > 0)


class PanelGroup(TyperGroup):
    """A group whose help lists its commands panel by panel, each with the whole of what it does.

    In plain text: Typer draws panels by Rich, whose import takes longer than all the rest.
    """

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the panels, in the order of their first commands."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                about = " ".join((command.help or "").partition("\n\n")[0].split())
                panel = getattr(command, "rich_help_panel", None) or "Commands"
                panels.setdefault(panel, []).append((name, about))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice if it takes one value, and names all that lack.

    The parser alone would keep the last value and drop the others without a word. A setting that is
    written as an option (`--seeds 8`) is refused, too, with the right form.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that no parameter takes.

        Raises:
            ConfigError: every option that is given twice, every setting written as an option.
        """
        if any(parameter.name == "settings" for parameter in self.params):
            self._refuse_settings_as_options(args)
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        single = [
            option
            for option in order
            if isinstance(option, TyperOption)
            and not (option.multiple or option.is_flag or option.count)
        ]
        twice = [option for option in dict.fromkeys(single) if single.count(option) > 1]
        mistakes = [f"{_label(option)}: is given twice; it takes one value." for option in twice]
        if not values.get("help"):
            mistakes += [
                f"{_label(parameter)}: is missing"
                + (f" ({text})." if (text := getattr(parameter, "help", None)) else ".")
                for parameter in self.params
                if parameter.required and not _is_given(values.get(parameter.name))
            ]
        if mistakes:
            from tacit.envs.errors import ConfigError

            raise ConfigError(mistakes)
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def _refuse_settings_as_options(self, args: list[str]) -> None:
        """Raises a ConfigError that names every `--key` which is the key of a setting."""
        known = {"--help", *(option for parameter in self.params for option in parameter.opts)}
        options = args[: args.index("--")] if "--" in args else args
        words = [word.partition("=")[0] for word in options if word.startswith("--")]
        if not (unknown := [word[2:] for word in words if word not in known]):
            return
        from tacit.envs.errors import ConfigError  # late, so that --help stays fast
        from tacit.training.config.experiment_file import GROUPS

        if keys := [key for key in unknown if key.split(".")[0] in GROUPS]:
            raise ConfigError(
                [f"--{key}: is a setting, not an option: write {key}=VALUE." for key in keys]
            )


Trust = Annotated[
    bool, typer.Option("--trust-agents", help="run the bots that are named, and ask them")
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", help="a host that requests may go to (repeatable)"),
]
