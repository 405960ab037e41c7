"""Quick ends of runs for the tests of training.

Most of them train small runs, and more time would go into the end of such a run than into its
training: into the mirror (`tacit.emergence.objective.mirror`) and into the plots of its arms, both
of which are tested elsewhere (tests/emergence, tests/training/board/test_plots.py). So here mirrors
are short and plots are made but not rendered.

Modules that assert figures of the mirror, or compare runs that were measured in other processes,
say `pytestmark = pytest.mark.full_mirror`; modules that look at plots say
`pytestmark = pytest.mark.full_plots`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from matplotlib.figure import Figure

from tacit.emergence.objective import mirror

STEPS, STARTS = 200, 4
KNOWN: dict[Any, Any] = {}  # short mirrors, which no other test may find in the mirror's own cache


# Of module scope, so that it comes before the runs that a module's fixtures train.
@pytest.fixture(autouse=True, scope="module")
def _short_mirror(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("full_mirror") is None:
            patch.setattr(mirror, "STEPS", STEPS)
            patch.setattr(mirror, "STARTS", STARTS)
            patch.setattr(mirror, "_KNOWN", KNOWN)
        yield


@pytest.fixture(autouse=True, scope="module")
def _plots_are_not_rendered(request: pytest.FixtureRequest) -> Iterator[None]:
    """Plots of arms go into memory first; figures of experiments, which go into files, are left."""
    savefig = Figure.savefig

    def unless_into_memory(figure: Figure, target: Any, **options: Any) -> None:
        if not isinstance(target, io.BytesIO):
            savefig(figure, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("full_plots") is None:
            patch.setattr(Figure, "savefig", unless_into_memory)
        yield
