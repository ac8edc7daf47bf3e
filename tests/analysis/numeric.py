"""What a result holds, whatever its shape."""

from collections.abc import Iterator


def numbers_in(plain: object) -> Iterator[float]:
    """Every number of a result's ``as_dict``, in its order."""
    if isinstance(plain, dict):
        for value in plain.values():
            yield from numbers_in(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from numbers_in(value)
    elif isinstance(plain, int | float) and not isinstance(plain, bool):
        yield float(plain)
    else:
        assert plain is None or isinstance(plain, str | bool)
