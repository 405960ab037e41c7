"""The engine `slurm`: prints an array script whose task k trains cell k. Nothing is submitted.

    tacit sweep volatility_kpi --grid kpi.bidder.price_change=0,-1 --engine slurm > sweep.sh
    sbatch sweep.sh

The plan is written to the sweep's folder, which all nodes must see; each task reads it there and
trains its cells as `tacit train SWEEP --cell K` does by hand.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from .sweep_folder import SweepFolder

MOST_TASKS = 1_000  # of an array: a scheduler's MaxArraySize is 1,001 unless somebody raised it


def array_script(folder: SweepFolder, cells: Sequence[int]) -> str:
    """A script for `sbatch` that trains cells.

    Args:
        folder: of the sweep.
        cells: their numbers, ascending. Of more than `MOST_TASKS`, each task trains several.
    """
    each = -(-len(cells) // MOST_TASKS)
    groups = [cells[n : n + each] for n in range(0, len(cells), each)]
    # Words of a bash array; a task with several cells trains them one after the other.
    words = " ".join(f'"{" ".join(map(str, group))}"' for group in groups)
    path = shlex.quote(str(folder.path.resolve()))
    train = f"{shlex.quote(sys.executable)} -P -m tacit train {path} --cell"
    return f"""#!/bin/bash
#SBATCH --job-name={folder.path.name}
#SBATCH --array=0-{len(groups) - 1}
#SBATCH --cpus-per-task=1
#SBATCH --output={Path(folder.path.name).name}-%a.log
# {len(cells)} cells of {folder.path.name}. A cell that is done is not trained again, so the same
# script may be submitted again after tasks were killed.
cd {shlex.quote(str(Path.cwd()))} || exit 2
export TACIT_THREADS=1
cells=({words})
code=0
for cell in ${{cells[$SLURM_ARRAY_TASK_ID]}}; do
    {train} "$cell" || code=1
done
exit $code
"""
