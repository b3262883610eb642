"""The model that a stage names, whatever lies in the working folder by now."""

from functools import cached_property
from pathlib import Path
from typing import Any

from fleet_kedro.store.bundle import StoredModel, parse_bundle
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.history import Version
from fleet_kedro.store.registry import PRODUCTION, ModelRegistry
from fleet_kedro.store.shelf import Shelf, model_on, read_shelf

LATEST = "latest"


class Served:
    """The models of one stage, by name: called with a name, it returns the model.

    The working folder is read once, when the first model is asked for.
    """

    def __init__(self, project: Path, store: Path, stage: str = PRODUCTION) -> None:
        self.stage = stage
        self._project = project
        self._store = store

    def __call__(self, name: str) -> StoredModel:
        """Return the version of a model that is in the stage; see `read_serving`.

        Raises
        ------
        StoreError
            If no version is in that stage, or its files cannot be had or were changed.
        """
        if self.stage == LATEST:
            return model_on(self._shelf, self._store, name).model
        version = ModelRegistry(self._project).in_stage(name, self.stage)
        if version is None:
            raise StoreError(
                f"No version of {name} is in {self.stage}. Promote one with "
                f"`kedro fleet promote {name} --stage {self.stage}`, or read "
                f"{LATEST!r}."
            )
        found = self._shelf.models.get(name)
        if found is not None and found.model.digest == _digest(version):
            return found.model
        return read_version(self._project, version)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every model that there could be: on the shelf, or with any version.

        Raises
        ------
        StoreError
            If a stage is asked for and the project is in no git repository.
        """
        if self.stage == LATEST:
            return frozenset(self._shelf.models)
        return frozenset(ModelRegistry(self._project).names())

    @cached_property
    def _shelf(self) -> Shelf:
        return read_shelf(self._store)


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
    return Served(project, store, stage)(name)


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

    try:
        files = DVCFileSystem(str(project), rev=commit, config=_remotes_now(project))
        found = {
            Path(path).name: files.cat_file(path) for path in files.find(f"/{folder}")
        }
    except Exception as error:
        # Each remote's library has errors of its own, with no class above them all.
        raise StoreError(
            f"{folder} as of commit {commit[:7]} cannot be had from DVC ({error}). "
            "Get it with `dvc fetch --all-tags`, where a remote has it; "
            "docs/remote.md tells how a remote is reached."
        ) from error
    if not found:
        raise StoreError(
            f"{folder} as of commit {commit[:7]} cannot be had from DVC, which did not "
            "track it then. Promote a model that is tracked."
        )
    return found


def _remotes_now(project: Path) -> dict[str, Any]:
    """Return where models are to be looked for today.

    By itself, DVC would ask the remotes of the commit, which may have moved since.
    """
    from dvc.config import Config
    from dvc.repo import Repo

    settings = Config(Repo.find_dvc_dir(str(project)))
    return {"core": settings["core"], "remote": settings["remote"]}
