"""The one exception that a user of the market chapter may meet."""


class MarketError(ValueError):
    """What was asked of the market cannot be had.

    Its sentence names the value and the remedy, so the command line prints it as it
    stands, without a traceback.
    """
