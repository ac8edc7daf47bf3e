"""The larger half of the vendor's client, which it loads only when a device is first spoken to."""

from contextlib import suppress


def load_client() -> None:
    """Load it now: loading keeps every other thread waiting, a window's too, for some hundreds of milliseconds."""
    with suppress(ImportError):  # another version has it elsewhere, and loads it by itself
        import nidaqmx._grpc_interpreter
        import nidaqmx._library_interpreter  # noqa: F401
