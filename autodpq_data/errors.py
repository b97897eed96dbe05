"""The one exception that bad input raises."""


class DataError(ValueError):
    """Raw data are missing or not what they should be. The message names file, expected and found."""
