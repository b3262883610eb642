"""The model that a stage names, whatever lies in the working folder by now."""

from pathlib import Path

from fleet_kedro.store.bundle import StoredModel, parse_bundle
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.history import Version
from fleet_kedro.store.registry import PRODUCTION, ModelRegistry
from fleet_kedro.store.shelf import find_model, read_shelf

LATEST = "latest"


def read_serving(
    project: Path, store: Path, name: str, stage: str = PRODUCTION
) -> StoredModel:
    """Read the version of a model that is in a stage.

    It is taken from the working folder if it still lies there, and else from DVC's
    cache or remote, as of the commit of its tag. ``latest`` is no stage but what lies
    in the working folder, promoted or not: for research.

    Raises
    ------
    StoreError
        If no version is in that stage, or its files cannot be had or were changed.
    """
    if stage == LATEST:
        return find_model(store, name).model
    version = ModelRegistry(project).in_stage(name, stage)
    if version is None:
        raise StoreError(
            f"No version of {name} is in {stage}. Promote one with "
            f"`kedro fleet promote {name} --stage {stage}`, or read {LATEST!r}."
        )
    found = read_shelf(store).models.get(name)
    if found is not None and found.model.digest == _digest(version):
        return found.model
    return read_version(project, version)


def read_version(project: Path, version: Version) -> StoredModel:
    """Read a version from DVC's cache or remote.

    Raises
    ------
    StoreError
        If DVC does not have it, or it is not the one that was registered.
    """
    folder = None if version.record is None else version.record.folder
    if folder is None:
        raise StoreError(
            f"The tag {version.model}@{version.version} was not made by `kedro fleet`, "
            "so it does not say where its files are. Promote the model again."
        )
    where = f"{folder} of {version.model} {version.version}"
    model = parse_bundle(_from_dvc(project, version.commit, folder), where)
    if model.digest != _digest(version):
        raise StoreError(
            f"{where} is not the model that was registered. It was not tracked by DVC "
            "when it was; promote it again."
        )
    return model


def _digest(version: Version) -> str | None:
    return None if version.record is None else version.record.digest


def _from_dvc(project: Path, commit: str, folder: str) -> dict[str, bytes]:
    """Read all files of a folder as of a commit; only the missing ones are fetched."""
    # Takes a second to import, which most readers of models need not spend.
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException

    try:
        files = DVCFileSystem(str(project), rev=commit)
        found = {
            Path(path).name: files.cat_file(path) for path in files.find(f"/{folder}")
        }
    except (DvcException, OSError) as error:
        raise StoreError(
            f"{folder} as of commit {commit[:7]} cannot be had from DVC ({error}). "
            "Get it with `dvc fetch --all-tags`, where a remote has it."
        ) from error
    if not found:
        raise StoreError(
            f"{folder} as of commit {commit[:7]} cannot be had from DVC, which did not "
            "track it then. Promote a model that is tracked."
        )
    return found
