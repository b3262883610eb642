"""The one exception that a user of the lineage chapter may meet."""


class LineageError(ValueError):
    """The stages cannot be derived from pipelines and configuration.

    Its sentence names the dataset or parameter and the remedy, so the command line
    prints it as it stands, without a traceback.
    """
