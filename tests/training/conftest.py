"""Quick ends of runs for the tests of training.

Most of them train small runs, and more time would go into the end of such a run than into its
training: into the mirror (`tacit.emergence.objective.mirror`) and into the plots of its arms, both
of which are tested elsewhere (tests/emergence, tests/training/board/test_plots.py). So here mirrors
are short and no plots are drawn, unless a module says otherwise:

    pytestmark = pytest.mark.full_mirror            asserts figures of the mirror, or compares runs
                                                    that were measured in other processes
    pytestmark = pytest.mark.plots("rendered")      looks at plots of arms
    pytestmark = pytest.mark.plots("constructed")   they must not fail for any measures
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow as records

from tacit.emergence.objective import mirror
from tacit.training.board import verdict_text
from tacit.training.outcome import ahead

STEPS, STARTS = 40, 4
KNOWN: dict[Any, Any] = {}  # short mirrors, which no other test may find in the mirror's own cache


@numba.njit
def _updated(crc: int, data: Any, table: Any) -> int:
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@pytest.fixture(autouse=True, scope="session")
def _quick_checksums() -> Iterator[None]:
    """TensorBoard's checksums of event files, byte by byte in Python there, compiled here."""
    table = np.array(records.CRC_TABLE, np.int64)

    def crc_update(crc: int, data: bytes) -> int:
        return int(_updated(crc, np.frombuffer(data, np.uint8), table))

    sample = bytes(range(256))
    assert crc_update(7, sample) == records.crc_update(7, sample)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "crc_update", crc_update)
        yield


# Both of module scope, so that they come before the runs that a module's fixtures train.
@pytest.fixture(autouse=True, scope="module")
def _short_mirror(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("full_mirror") is None:
            patch.setattr(mirror, "STEPS", STEPS)
            patch.setattr(mirror, "STARTS", STARTS)
            patch.setattr(mirror, "_KNOWN", KNOWN)
        yield


@pytest.fixture(autouse=True, scope="module")
def _quick_plots(request: pytest.FixtureRequest) -> Iterator[None]:
    savefig = Figure.savefig

    def unless_into_memory(figure: Figure, target: Any, **options: Any) -> None:
        """Plots of arms go into memory; figures of experiments go into files and are rendered."""
        if not isinstance(target, io.BytesIO):
            savefig(figure, target, **options)

    marker = request.node.get_closest_marker("plots")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "FROM_ARMS", 10**9)  # a process of its own would draw all of them
        if marker is None:
            patch.setattr(verdict_text, "draw_plots", lambda arm, measures: {})
        elif marker.args == ("constructed",):
            patch.setattr(Figure, "savefig", unless_into_memory)
        else:
            assert marker.args == ("rendered",)
        yield
