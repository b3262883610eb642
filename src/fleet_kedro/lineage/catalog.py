"""Which file a catalog entry stands in, and where its data lies."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import CatalogConfigResolver
from omegaconf.errors import OmegaConfBaseException

from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.tracking import Tracking, tracking_of

BASE = "base"
_MODULE = re.compile(r"fleet_kedro(\.\w+)+")


class Entry(NamedTuple):
    """A catalog entry, as it applies to one dataset.

    Attributes
    ----------
    name
        The dataset's name; not that of the pattern that it fits.
    file
        Where the entry stands, relative to the folder of the configuration.
    path
        Where the data lies, relative to the project; None for what is kept in memory.
    folder
        The same, for a pattern cut before its first placeholder: all that the
        pattern stands for lies in there.
    is_versioned
        Whether Kedro keeps every version of it, each in a folder of its own.
    modules
        The project's own modules that it names: its dataset and its validator.
    written
        The entry as its file has it, with the references that stand in it.
    """

    name: str
    file: str
    path: str | None
    folder: str | None
    is_versioned: bool
    modules: frozenset[str]
    written: Any
    tracking: Tracking


class Catalog:
    """The catalog of the base environment, entry by entry.

    Parameters
    ----------
    configured
        All entries with their references resolved, as Kedro reads them.
    written
        By file, relative to the folder of the configuration: its entries as they
        stand there.
    """

    def __init__(
        self,
        configured: Mapping[str, Any],
        written: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._configured = dict(configured)
        self._written = {
            name: (file, entry)
            for file, entries in written.items()
            for name, entry in entries.items()
        }
        self._resolver = CatalogConfigResolver(self._configured, {}, {"": {}})

    def entries(self, datasets: Iterable[str]) -> Iterator[Entry]:
        """Find the entries of those datasets that have one, in order of their names."""
        for name in sorted(datasets):
            if (entry := self.entry(name)) is not None:
                yield entry

    def entry(self, dataset: str) -> Entry | None:
        """Find the entry of a dataset: its own, or that of the pattern it fits."""
        pattern = dataset
        if dataset not in self._configured:
            pattern = self._resolver.match_dataset_pattern(dataset) or ""
            if pattern not in self._configured:
                return None
        file, written = self._written[pattern]
        options = self._resolver.resolve_pattern(dataset)
        path = _place(options)
        return Entry(
            name=dataset,
            file=file,
            path=path,
            folder=path if pattern == dataset else _above(self._configured[pattern]),
            is_versioned=bool(options.get("versioned")),
            modules=frozenset(_modules(options)),
            written=written,
            tracking=tracking_of(dataset, options),
        )


def read_catalog(conf: Path) -> Catalog:
    """Read the catalog of the base environment from the folder of configuration."""
    return Catalog(configured(conf, "catalog"), written_blocks(conf, "catalog"))


def configured(conf: Path, kind: str) -> dict[str, Any]:
    """Read the base environment alone, with its references resolved, as Kedro does.

    Errors
    ------
    LineageError
        A reference leads nowhere.
    """
    loader = OmegaConfigLoader(
        conf_source=str(conf),
        base_env=BASE,
        default_run_env=BASE,
        # Environment variables are unset, as they may be wherever DVC runs a stage.
        custom_resolvers={"env": lambda _, default="": default},
    )
    try:
        return loader[kind]
    except OmegaConfBaseException as error:
        reason = str(error).partition("\n")[0]
        raise LineageError(
            f"The {kind} in {conf / BASE} cannot be read: {reason}"
        ) from error


def written_blocks(conf: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Read every file of one kind as it stands, by its path below ``conf``.

    Errors
    ------
    LineageError
        There is none.
    """
    files = sorted((conf / BASE).rglob(f"{kind}*.yml"))
    if not files:
        raise LineageError(f"There is no {kind}*.yml in {conf / BASE}.")
    return {
        file.relative_to(conf).as_posix(): yaml.safe_load(
            file.read_text(encoding="utf-8")
        )
        or {}
        for file in files
    }


def _place(options: Mapping[str, Any]) -> str | None:
    found = options.get("filepath", options.get("path"))
    return None if found is None else str(found)


def _above(options: Mapping[str, Any]) -> str | None:
    path = _place(options)
    return None if path is None else path.partition("{")[0].rpartition("/")[0]


def _modules(options: object) -> Iterator[str]:
    """Walk the options for names of our own classes, and yield their modules."""
    if isinstance(options, Mapping):
        for value in options.values():
            yield from _modules(value)
    elif isinstance(options, str) and _MODULE.fullmatch(options):
        yield options.rpartition(".")[0]
