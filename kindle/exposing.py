"""What a session has put into the animal so far, kept up train by train on the sample clock."""

from msgspec import structs

from detectors.criterion import Judgement, Verdict
from drivers.interface import DeliveredTrain
from kindle.progress import Exposed
from kindle.safety import Exposure
from kindle.stream import Stream


class ExposureLedger:
    """``exposure`` is what the interlocks ask; it errs on the side of the animal."""

    def __init__(self, stream: Stream, exposure: Exposure) -> None:
        self.exposure = exposure
        self._stream = stream

    def exposed_now(self) -> Exposed:
        return Exposed(self.exposure, self._stream.seconds(self._stream.n_samples))

    def train_fired(self, delivered: DeliveredTrain, armed: int) -> None:
        """From the trigger on the animal counts as stimulated, whatever becomes of the train."""
        self.exposure = structs.replace(
            self.exposure,
            n_trains=self.exposure.n_trains + 1,
            charge_uc=self.exposure.charge_uc + delivered.charge_uc,
            last_onset_s=self._stream.seconds(armed),
            in_discharge=False,
        )

    def train_seen(self, onset: int) -> None:
        self.exposure = structs.replace(self.exposure, last_onset_s=self._stream.seconds(onset))

    def train_unseen(self) -> None:
        """The train, if it came at all, began before now."""
        self.train_seen(self._stream.n_samples)

    def judged(self, judgement: Judgement) -> None:
        """Lock-out counts from the last discharge's end; a trial that may hide one counts as one up to now."""
        match judgement.verdict:
            case Verdict.AFTERDISCHARGE:
                ended = judgement.afterdischarges[-1].end_sample
            case Verdict.UNDETERMINED:
                ended = self._stream.n_samples
            case Verdict.NONE:
                return
        going_on = not judgement.final and self._stream.discharge_s() is not None
        self._count_lockout_from(ended, in_discharge=going_on)

    def note_late_end(self) -> None:
        """A discharge that outlasted its watch may have ended since."""
        if not self.exposure.in_discharge:
            return
        judgement = self._stream.judgement()
        if judgement.verdict is Verdict.AFTERDISCHARGE:
            self.judged(judgement)
        else:
            going_on = self._stream.discharge_s() is not None
            self.exposure = structs.replace(self.exposure, in_discharge=going_on)

    def perhaps_discharged(self) -> None:
        """There may have been a discharge up to now, and nobody can see any more whether it goes on."""
        self._count_lockout_from(self._stream.n_samples, in_discharge=False)

    def no_discharge(self) -> None:
        """The experimenter has looked at the trace and says that there was none."""
        self.exposure = structs.replace(self.exposure, last_afterdischarge_end_s=None)

    def _count_lockout_from(self, ended: int, *, in_discharge: bool) -> None:
        self.exposure = structs.replace(
            self.exposure, last_afterdischarge_end_s=self._stream.seconds(ended), in_discharge=in_discharge
        )
