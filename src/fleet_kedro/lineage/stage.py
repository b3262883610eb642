"""What DVC is told about a pipeline."""

from typing import NamedTuple

from fleet_kedro.lineage.parameters import Keys
from fleet_kedro.lineage.tracking import Tracking


class Out(NamedTuple):
    """A file or folder that a stage leaves, and how DVC treats it."""

    path: str
    tracking: Tracking


class Model(NamedTuple):
    """A model that a stage leaves, under the name that the registry gives it."""

    name: str
    path: str
    desc: str
    labels: tuple[str, ...]


class Stage(NamedTuple):
    """A stage: what runs, from what, with which parameters, and what it leaves.

    Attributes
    ----------
    name
        What `dvc repro` is given.
    desc
        One line for `dvc stage list`.
    cmd
        What DVC runs, in the project's folder.
    code
        Files and folders of the project that shape its outs, but no data.
    reads
        The data that it starts from.
    keys
        Parameters, by the file that they stand in.
    outs
        What it leaves, sorted by path.
    models
        The models among that.
    """

    name: str
    desc: str
    cmd: str
    code: tuple[str, ...]
    reads: tuple[str, ...]
    keys: Keys
    outs: tuple[Out, ...]
    models: tuple[Model, ...]
