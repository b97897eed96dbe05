"""The one door to C: all of it lies here, and each of its files is called through the Python file of the same name."""

from autodpq_native.compiled import library


def available() -> bool:
    """Whether there is a C compiler, and so what lies here can be called.

    Raises:
        ValueError: the compiler does not work.
    """
    return library() is not None
