"""`python -m benchmarks.reliability.power_child NOTES COMMAND...`: the kindle command, and what it was told was safe.

Each line of NOTES begins with an instant of the monotonic clock: rows acknowledged, samples handed over to the
recording (noted before they are written), and trains triggered (noted once they are).
"""

import os
import sys
import time

from drivers.interface import Block
from drivers.pulsepal import PulsePal
from kindle.cli import kindle
from kindle.journal import Journal, Row
from kindle.recording import RecordingWriter


def main() -> None:
    notes, *command = sys.argv[1:]
    fd = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(text: str) -> None:
        os.write(fd, f"{time.monotonic()} {text}\n".encode())

    append_row, append_block, fire = Journal.append, RecordingWriter.append, PulsePal.fire

    def acknowledged(*args: object, **named: object) -> Row:
        row = append_row(*args, **named)  # type: ignore[arg-type]
        note(f"row {row.hash}")
        return row

    def handed_over(recording: RecordingWriter, block: Block, *, monotonic_ns: int, utc_ns: int) -> None:
        note(f"samples {recording.n_samples + block.shape[1]}")
        append_block(recording, block, monotonic_ns=monotonic_ns, utc_ns=utc_ns)

    def fired(stimulator: PulsePal) -> None:
        fire(stimulator)
        note("train")

    Journal.append = acknowledged  # type: ignore[method-assign]
    RecordingWriter.append = handed_over  # type: ignore[method-assign, assignment]
    PulsePal.fire = fired  # type: ignore[method-assign, assignment]
    kindle(command)


if __name__ == "__main__":
    main()
