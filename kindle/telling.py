"""What a person is told of an error: one sentence with what failed, and what failed besides."""

MOST_LETTERS = 1500


def told(error: BaseException) -> str | None:
    """``None`` for a mistake of the program itself, which needs its traceback."""
    # Imported here: a command that succeeds need not wait for numpy.
    from drivers.interface import DriverError
    from kindle.errors import KindleError

    match error:
        case KindleError() | DriverError():
            said = str(error)
        case OSError(strerror=str(why), filename=name) if name is not None:
            said = f"{name}: {why}; check the path, the disk and its permissions"
        case _:
            return None
    return plain(". ".join(dict.fromkeys((said, *getattr(error, "__notes__", ())))))


def plain(text: str) -> str:
    """One printable line of bearable length, whatever a file put into it."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 300]} ... {line[-250:]}"


def printable(line: str) -> str:
    """What would command the terminal, or cannot be written, is spelled out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
