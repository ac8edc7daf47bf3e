"""The time between trains: the signal is read on while somebody waits, observes or answers."""

from math import ceil

from kindle.behaviour import Scoring
from kindle.exchange import Observed, Rested
from kindle.experimenter import Answer, Experimenter
from kindle.exposing import ExposureLedger
from kindle.progress import Listener, Observing, Resting
from kindle.scorebook import Scorebook
from kindle.stream import SignalLost, Stream
from kindle.vigilance import Vigil


class Attendance:
    """Reads every sample of a session, but those that a train needs, and hears what the observer marks meanwhile."""

    def __init__(
        self,
        stream: Stream,
        vigil: Vigil,
        ledger: ExposureLedger,
        experimenter: Experimenter,
        *,
        recording: str,
        listener: Listener,
    ) -> None:
        self._stream = stream
        self._vigil = vigil
        self._ledger = ledger
        self._experimenter = experimenter
        self._recording = recording
        self._listener = listener
        self._scores = Scorebook(experimenter, listener)

    @property
    def stretch(self) -> str:
        """The signal since the last gap, by name: samples that were lost are not counted."""
        begun = self._stream.segment_start
        return self._recording if begun == 0 else f"{self._recording} from sample {begun}"

    @property
    def since_gap_s(self) -> float:
        return self._stream.seconds(self._stream.n_samples - self._stream.segment_start)

    def begin_scores(self) -> None:
        """What is marked from now on belongs to the next trial or observation."""
        self._scores.begin()

    def scoring(self, scale: str) -> Scoring:
        return self._scores.scoring(scale)

    def rest(self, duration_s: float, why: str) -> Rested:
        stream = self._stream
        end = stream.n_samples + ceil(duration_s * stream.rate_hz)
        while stream.n_samples < end:
            self._listener(Resting((end - stream.n_samples) / stream.rate_hz, why))
            self.idle(end - stream.n_samples)
        return Rested(stream.n_samples, self.stretch)

    def observe(self, duration_s: float, scale: str) -> Observed:
        """To the end of the time, or to the animal's."""
        stream = self._stream
        self._scores.begin()
        first = stream.n_samples
        end = first + ceil(duration_s * stream.rate_hz)
        while stream.n_samples < end and not self._scores.died:
            self._listener(Observing((end - stream.n_samples) / stream.rate_hz))
            self.idle(end - stream.n_samples)
        return Observed(self._scores.scoring(scale), first, stream.n_samples, stream.rate_hz, self.stretch)

    def ask(self, text: str, choices: tuple[str, ...]) -> str:
        """Read on while the person thinks."""
        return self._said(self._experimenter.ask(text, choices))

    def ask_name(self, text: str) -> str:
        """The name of whoever acknowledges an alarm."""
        return self._said(self._experimenter.ask_name(text))

    def _said(self, answer: Answer) -> str:
        while (said := answer()) is None:
            self.idle(ceil(self._stream.rate_hz))
        return said

    def read(self, n_samples: int) -> None:
        """Raises ``SignalLost``, and whatever the vigil finds."""
        self._vigil.advance(n_samples)
        self._scores.look(self._stream.n_samples)

    def read_in_train(self, n_samples: int) -> None:
        self._vigil.advance_in_train(n_samples)
        self._scores.look(self._stream.n_samples)

    def idle(self, n_samples: int) -> None:
        """Read on, over a gap if need be; behind it nothing is known of a discharge that was going on before it."""
        try:
            self.read(n_samples)
        except SignalLost as lost:
            self._vigil.cross(lost)
            if self._ledger.exposure.in_discharge:
                self._ledger.perhaps_discharged()
