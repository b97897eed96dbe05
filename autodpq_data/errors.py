"""The one exception that bad input raises."""


class DataError(ValueError):
    """Raw data are missing or not what they should be. The message names file, expected and found."""


def one_line(error: object) -> str:
    """The last line of a message, which in most of them says what is wrong."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
