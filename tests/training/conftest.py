"""A short mirror for the tests of training, most of which train runs that are probed at their end.

The mirror (`tacit.emergence.objective.mirror`) takes longer than the training of a small run. Its
own tests are in tests/emergence. Modules here that assert its figures, or compare runs that were
measured in other processes, say `pytestmark = pytest.mark.full_mirror`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tacit.emergence.objective import mirror

STEPS, STARTS = 200, 4
KNOWN: dict[Any, Any] = {}  # short mirrors, which no other test may find in the mirror's own cache


@pytest.fixture(autouse=True, scope="module")
def _short_mirror(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of module scope, so that it comes before the module's own runs."""
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("full_mirror") is None:
            patch.setattr(mirror, "STEPS", STEPS)
            patch.setattr(mirror, "STARTS", STARTS)
            patch.setattr(mirror, "_KNOWN", KNOWN)
        yield
