"""`tacit drill`: whether breakers trip, go back and redirect as they say."""

from __future__ import annotations

import json
import sys

from .options import ArmOption, Config, JsonFlag, Settings, Wide


def drill(
    config: Config,
    settings: Settings = None,
    arm: ArmOption = None,
    as_json: JsonFlag = False,
    wide: Wide = False,
) -> None:
    """Whether the breakers of CONFIG do what they say, tried in seconds; exit code 1 if not."""
    from tacit.envs.errors import ConfigError
    from tacit.training.config.load import load
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.studies.drill import drill as drill_arm

    experiment = load(config, settings or [], arm or [])
    guarded = [own for own in experiment.arms.values() if own.breakers]
    if not guarded:
        raise ConfigError(
            f"breakers: no arm of {experiment.name} has any; there is nothing to try."
        )
    rows = [row for own in guarded for row in drill_arm(own)]
    wrong = sum(bool(row.wrong) for row in rows)
    if as_json:
        data = {"experiment": experiment.name, "breakers": [row.plain() for row in rows]}
        print(json.dumps(data, allow_nan=False))
    else:
        out = console(wide=wide)
        out.print(TextTable([row.cells() for row in rows]))
        for row in rows:
            for line in row.wrong.values():
                out.print(f"WRONG  arm {row.arm}, breaker {row.breaker}: {line}", soft_wrap=True)
        count = f"{len(rows)} breaker{'s' * (len(rows) > 1)}"
        out.print(f"{wrong} of {count} did not hold" if wrong else f"{count} did what they say")
    if wrong:
        sys.exit(1)
