"""Known mistakes, each small, honest and found in public code; the audit must see all.

Every one is a step like those of the project, with the law that it claims to keep.
"""

from fleet_kedro.audit.planted.folds import fold_leaks
from fleet_kedro.audit.planted.leak import Leak
from fleet_kedro.audit.planted.timing import timing_leaks
from fleet_kedro.audit.planted.windows import window_leaks

__all__ = ["Leak", "planted_leaks"]


def planted_leaks() -> list[Leak]:
    """Return all planted leaks."""
    return [*window_leaks(), *timing_leaks(), *fold_leaks()]
