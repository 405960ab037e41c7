"""`tacit prior`: what is known of how people play a seat, fitted, shown, written as a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacit.training.cli.options import OnceCommand, PanelGroup, Settings
from tacit.training.plain_text import say

if TYPE_CHECKING:
    from tacit.envs.market import Market

app = typer.Typer(
    cls=PanelGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Priors from people: fit them to data, show one, write one as a policy file.",
)
Name = Annotated[str, typer.Argument(metavar="PRIOR", help="of tacit list, or a YAML file")]
Smoothing = Annotated[
    float,
    typer.Option("--smoothing", min=0, max=1, help="share of each row that is uniform"),
]


@app.command("fit", cls=OnceCommand)
def fit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="with the files of human_claims")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the folder to write the priors to")
    ] = None,
    any_file: Annotated[
        bool, typer.Option("--any-file", help="count in files of other bytes than the known ones")
    ] = False,
) -> None:
    """Count in DIR what people claim and accept; with -o, write priors of the counts."""
    from tacit.envs.errors import ConfigError
    from tacit.training.priors import fitted_priors, prior_text, read_human_claims
    from tacit.training.priors.words import count_rows
    from tacit.training.show.terminal import console
    from tacit.training.storage.atomic_files import write_atomically

    if output is not None and not output.is_dir():
        raise ConfigError(f"-o: there is no folder '{output}'.")
    counts = read_human_claims(folder, any_file)
    console().print(count_rows(counts))
    if output is None:
        return
    for name, content in fitted_priors(counts).items():
        text = prior_text(content, folder.name, output.name)
        write_atomically(output / f"{name}.yaml", text.encode())
        say(f"wrote {output / name}.yaml: {content['title']}")


@app.command("show", cls=OnceCommand)
def show(
    prior: Name,
    config: Annotated[
        str | None, typer.Argument(help="a market, an experiment or a YAML file")
    ] = None,
    settings: Settings = None,
    seat: Annotated[str | None, typer.Option("--seat", help="only this seat")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="by default the first")] = None,
    smoothing: Smoothing = 0.0,
) -> None:
    """Figures and sources of PRIOR; with CONFIG, what it does there, and which rows lack data."""
    from tacit.agents.prior import prior_table
    from tacit.training.config.agent_settings import read_prior
    from tacit.training.priors.words import prior_lines, seat_lines
    from tacit.training.show.terminal import console

    out = console()
    file = read_prior(prior, "PRIOR")
    if config is None:
        for line in prior_lines(file):
            out.print(line, soft_wrap=True)
        return
    market = _market(config, settings, arm)
    own = [s.name for s in market.seats if s.role.name == file.role]
    for name in own if seat is None and own else [seat or market.seats[0].name]:
        found = prior_table(file, market, name, smoothing, f"PRIOR: {prior}")
        for text in seat_lines(found, name):
            say(text)


@app.command("export", cls=OnceCommand)
def export(
    prior: Name,
    config: Annotated[str, typer.Argument(help="a market, an experiment or a YAML file")],
    settings: Settings = None,
    seat: Annotated[str | None, typer.Option("--seat", help="by default the role's first")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="by default the first")] = None,
    smoothing: Smoothing = 0.0,
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")] = Path(
        "policy.safetensors"
    ),
) -> None:
    """Write what PRIOR does in a seat of CONFIG into a policy file, as tacit export does."""
    from tacit.agents.external.policy_file import card_of, write_policy
    from tacit.agents.prior import prior_table
    from tacit.envs.errors import ConfigError
    from tacit.training.config.agent_settings import read_prior

    file = read_prior(prior, "PRIOR")
    market = _market(config, settings, arm)
    own = [s.name for s in market.seats if s.role.name == file.role]
    name = seat or next(iter(own), market.seats[0].name)
    found = prior_table(file, market, name, smoothing, f"PRIOR: {prior}")
    if not output.parent.is_dir():
        raise ConfigError(f"-o: there is no folder {output.parent}.")
    origin = {"prior": file.model_dump(mode="json"), "smoothing": smoothing}
    try:
        write_policy(output, found.table, card_of(market, name, found.table, origin=origin))
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror or error}.") from None
    say(f"wrote {output}: {name} of {market.name}; {found.summary()}")


def _market(config: str, settings: list[str] | None, arm: str | None) -> Market:
    """The market of a configuration's arm.

    Raises:
        ConfigError: mistakes in it.
    """
    from tacit.training.config.load import load

    experiment = load(config, settings or [], [arm] if arm is not None else [])
    return next(iter(experiment.arms.values())).market
