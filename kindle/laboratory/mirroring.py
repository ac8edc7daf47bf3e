"""Rows of a running session on their way to the laboratory's database, in a thread of their own."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from kindle.errors import KindleError
from kindle.journal import JournalReader
from kindle.laboratory.known import read_known
from kindle.laboratory.line import Line, NotReached, connected
from kindle.laboratory.mirror import Mirror
from kindle.laboratory.schema import check
from kindle.laboratory.sending import send

LOG = logging.getLogger(__name__)

LOOK_S = 1.0
"""Between two looks for new rows in the journal."""

LONGEST_WAIT_S = 60.0
"""Between two tries to reach a database that is away."""

CLOSE_S = 10.0
"""How long the end of a session waits for its last rows to arrive."""


@contextmanager
def mirroring(mirror: Mirror, *, look_s: float = LOOK_S, close_s: float = CLOSE_S) -> Iterator[None]:
    """Send rows while the block runs; it never waits for the network, and its end waits ``close_s`` at the most.

    What could not be sent stands in the journal, and goes with the next contact.
    """
    sender = _Sender(mirror, look_s)
    thread = threading.Thread(target=sender.run, name="mirror", daemon=True)
    thread.start()
    try:
        yield
    finally:
        sender.stop.set()
        thread.join(close_s)
        waiting = mirror.journal.last_seq - sender.sent
        if waiting:
            LOG.warning("%d rows of this rig are not in %s yet: kindle mirror sync sends them", waiting, mirror.config)


class _Sender:
    def __init__(self, mirror: Mirror, look_s: float) -> None:
        self.stop = threading.Event()
        known = read_known(mirror.folder)
        self.sent = 0 if known is None else known.sent
        """Rows of this rig that are known to be in the database."""
        self._mirror = mirror
        self._look_s = look_s
        self._reached = True

    def run(self) -> None:
        # A reader of its own: the journal's writer never waits for this thread.
        with JournalReader.open(self._mirror.journal.path) as journal, ExitStack() as lines:
            line: Line | None = None
            wait_s = self._look_s
            stopping = False
            while not stopping:
                stopping = self.stop.wait(wait_s)
                try:
                    if journal.last_seq == self.sent:
                        continue
                    line = line or lines.enter_context(self._connected())
                    self.sent = send(line, self._mirror.study, journal)
                    wait_s = self._look_s
                    self._say(reached=True)
                except NotReached as error:
                    line = None
                    with suppress(NotReached):
                        lines.close()
                    wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                    self._say(reached=False, why=error)
                except KindleError as error:
                    LOG.error("%s", error)
                    return

    @contextmanager
    def _connected(self) -> Iterator[Line]:
        with connected(self._mirror.config) as line:
            with line.transaction() as connection:
                check(connection)
            yield line

    def _say(self, *, reached: bool, why: NotReached | None = None) -> None:
        """Once each time that it changes."""
        if reached != self._reached:
            self._reached = reached
            if why is not None:
                LOG.warning("%s: the session goes on, its rows are sent later", why)
            else:
                LOG.warning("%s is reached again", self._mirror.config)
