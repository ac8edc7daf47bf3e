"""What a person is told of an error: one sentence with what failed, and what failed besides."""


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
    return " ".join(". ".join(dict.fromkeys((said, *getattr(error, "__notes__", ())))).split())
