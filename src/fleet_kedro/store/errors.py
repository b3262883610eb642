"""The one exception that a user of the store may meet."""


class StoreError(ValueError):
    """A model cannot be read, written, promoted or rolled back.

    Its sentence names the file or the version and the remedy, so the command line
    prints it as it stands, without a traceback.
    """
