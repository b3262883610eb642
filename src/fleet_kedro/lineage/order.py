"""Which stage comes behind which, and which cannot stand beside one another."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.stage import Out, Stage


def refuse_overlaps(stages: Iterable[Stage]) -> None:
    """Refuse two outs of which one lies in the other, or is the other."""
    left: dict[PurePosixPath, str] = {}
    for stage in stages:
        for out in stage.outs:
            path = PurePosixPath(out.path)
            for other, owner in left.items():
                if path.is_relative_to(other) or other.is_relative_to(path):
                    raise LineageError(
                        f"The stage {stage.name} leaves {path} and {owner} leaves "
                        f"{other}: DVC tracks no place twice. Move one in "
                        "conf/base/catalog*.yml."
                    )
            left[path] = stage.name


def in_order(stages: list[Stage]) -> list[Stage]:
    """Sort stages behind those that they read from; else by name."""
    by_name = {stage.name: stage for stage in stages}
    sorter = TopologicalSorter(
        {
            stage.name: {
                other.name for other in stages if _reads_from(stage.reads, other.outs)
            }
            for stage in stages
        }
    )
    try:
        sorter.prepare()
    except CycleError as error:
        raise LineageError(
            f"Stages wait for one another: {' <- '.join(error.args[1])}. Let none of "
            "them read what a later one leaves, or say metadata: {dvc: {track: false}} "
            "at the entry that only tells of earlier runs."
        ) from error
    ordered: list[Stage] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return ordered


def _reads_from(reads: Iterable[str], outs: Iterable[Out]) -> bool:
    places = [PurePosixPath(out.path) for out in outs]
    return any(
        PurePosixPath(read).is_relative_to(place)
        or place.is_relative_to(PurePosixPath(read))
        for read in reads
        for place in places
    )
