"""When current is stopped, and what may follow: the rules for whatever goes wrong at a rig, at one place.

- Any exception ends the rig's work: current off before anything else, and no train from this rig any more. So it is
  with an instrument that fails, ``StrayCurrent``, ``UnaskedTrain``, ``StoppedByExperimenter``, ``NotAsAsked``, an
  unsafe train, an interruption of the program, and any defect.
- ``VoidCalled`` is treated apart: current off, and the session goes on with the same rig.
- Samples that are lost stop the output as well; behind the gap trains may follow (``kindle.vigilance``).
- A train that was not as asked holds all others until the experimenter has said that one may follow.
- A stop that the stimulator did not confirm is never passed over: it is said, or is the error itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from drivers.interface import Abort, DriverError, LinkLost, Stimulator
from kindle.errors import KindleError, UnsafeStimulus
from kindle.experimenter import Experimenter, VoidCalled

UNPROVEN_STOP = (
    "The stimulator did not confirm that it stopped: switch its output off by hand before anything else is done."
)


class StoppedByExperimenter(KindleError):
    """The experimenter asked to stop; ``abort`` says whether the stimulator confirmed that it did."""

    def __init__(self, abort: Abort) -> None:
        super().__init__(f"stopped by the experimenter; the stimulator's stop is {abort.value}")
        self.abort = abort


class StrayCurrent(KindleError):
    """The current monitor shows current while no train is going on."""


class UnaskedTrain(KindleError):
    """The TTL shows a train that nobody asked for."""


class NotAsAsked(KindleError):
    """A train contradicted its command, and nobody said that another one may follow."""


class Guard:
    """Stops the output of one rig, and says whether a train may follow."""

    def __init__(self, stimulator: Stimulator, experimenter: Experimenter) -> None:
        self._stimulator = stimulator
        self._experimenter = experimenter
        self._stopped = False
        self.held = ""
        """What was wrong with the last train; no other is given until somebody says so. Empty where nothing was."""
        self.last_abort: Abort | None = None

    def abort(self) -> Abort:
        """Current off now, and no train any more; from any thread."""
        self._stopped = True
        return self.stop_output()

    def stop_output(self) -> Abort:
        """Current off now; trains may follow."""
        self.last_abort = self._stimulator.abort()
        return self.last_abort

    def disarm(self) -> None:
        """As ``stop_output``, but proven. Raises ``LinkLost`` where the stimulator does not confirm it."""
        if self.stop_output() is Abort.UNCONFIRMED:
            raise LinkLost("the stimulator did not confirm that it is disarmed")

    @contextmanager
    def safe_on_error(self) -> Iterator[None]:
        """Whatever is raised within, current is off before it goes further."""
        try:
            yield
        except VoidCalled:
            self.disarm()
            raise
        except BaseException as error:
            stop = self.abort()
            if stop is Abort.UNCONFIRMED:
                error.add_note(UNPROVEN_STOP)
            if isinstance(error, DriverError) and self._experimenter.wants_stop():
                # A stop that cuts into an exchange makes the instrument look as if it had failed.
                stopped = StoppedByExperimenter(stop)
                for note in getattr(error, "__notes__", ()):
                    stopped.add_note(note)
                raise stopped from error
            raise

    def refuse_while_held(self) -> None:
        """Raises ``UnsafeStimulus`` after a train that was not as asked."""
        if self.held:
            raise UnsafeStimulus(f"nobody has said that a train may follow one that was not as asked: {self.held}")

    def refuse_after_stop(self) -> None:
        """Raises ``StoppedByExperimenter`` where a stop is asked for, ``UnsafeStimulus`` behind an ``abort``."""
        self.heed_stop()
        if self._stopped:
            raise UnsafeStimulus("this rig was told to stop: begin or resume a session before the next train")

    def heed_stop(self) -> None:
        """Raises ``StoppedByExperimenter``, current off, where the experimenter asks for it."""
        if self._experimenter.wants_stop():
            raise StoppedByExperimenter(self.abort())
