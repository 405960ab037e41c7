"""A fitted market as a file that `tacit train` takes, with the command that wrote it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from tacit.envs.errors import ConfigError
from tacit.training.config.files import Dumper

from .calibration import Calibration, Request
from .fits import find_fit

HEAD = "# Fitted to data by this command; run it again rather than change a number by hand.\n"


def preset_text(result: Calibration, request: Request, source: str, target: str) -> str:
    """The preset as YAML; its command names files without their folders.

    Args:
        result: what was fitted.
        request: how.
        source: where the data are from; empty if that is not known.
        target: the preset's own name.
    """
    market_fit = find_fit(result.market)
    options = ", ".join(f"{name} {value:g}" for name, value in request.options.items())
    file = f"{result.file} ({options})" if options else result.file
    content: dict[str, Any] = {"question": market_fit.question.format(file=file)}
    if source:
        content["source"] = source
    content["market"] = {"name": result.market, **result.keys}
    if market_fit.agents:
        content["agents"] = dict(market_fit.agents)
    lines = [f"#   {line}" for line in command(result, request, source, target)]
    return HEAD + " \\\n".join(lines) + "\n" + in_yaml(content)


def in_yaml(content: dict[str, Any]) -> str:
    """A table as YAML, lists in lines."""
    text: str = yaml.dump(
        content, Dumper=Dumper, sort_keys=False, width=96, default_flow_style=None
    )
    return text


def command(result: Calibration, request: Request, source: str, target: str) -> list[str]:
    """The command that makes this preset again, as lines of a few words."""
    words = [["tacit", "calibrate", result.market, result.file]]
    words.append(["--columns", request.columns])
    words.append([w for pattern in request.dates for w in ("--dates", pattern)])
    words.append([w for nothing in request.missing for w in ("--missing", nothing)])
    words.append([w for k, v in request.options.items() for w in (f"--{k}", f"{v:g}")])
    words.append(["--source", source] if source else [])
    words.append(["--write", Path(target).name])
    return [shlex.join(line) for line in words if line]


def check_target(path: Path) -> None:
    """Check a place for a preset, before anything is computed.

    Raises:
        ConfigError: it is no YAML file, or its folder does not exist.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"--write: must end in .yaml, got '{path}'.")
    if not path.parent.is_dir():
        raise ConfigError(f"--write: there is no folder '{path.parent}'.")


def write_preset(path: Path, content: str) -> None:
    """Write a preset.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--write: {path}: cannot be written: {error.strerror}") from None
