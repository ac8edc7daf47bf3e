"""The time after a train: the rig reads on until nothing can change what is said of its discharge."""

from dataclasses import replace
from math import ceil

from detectors.criterion import Judgement, Verdict
from kindle.attending import Attendance
from kindle.exposing import ExposureLedger
from kindle.progress import Listener, Watching
from kindle.stream import SignalLost, Stream
from kindle.vigilance import Vigil

LONGEST_WATCH_S = 900.0
"""A discharge may go on for longer; unless the plan watches longer, the trial is closed as it stands then."""


class Watch:
    def __init__(
        self,
        stream: Stream,
        vigil: Vigil,
        attendance: Attendance,
        ledger: ExposureLedger,
        listener: Listener,
        *,
        watch_s: float,
    ) -> None:
        self._stream = stream
        self._vigil = vigil
        self._attendance = attendance
        self._ledger = ledger
        self._listener = listener
        self._watch_s = watch_s

    def judged(self, train_end: int) -> Judgement:
        """Of the train that ended at sample ``train_end``, the exposure noted; over a gap nothing is judged."""
        try:
            return self._watch(train_end)
        except SignalLost as lost:
            return self._judge_before(lost)

    def _watch(self, train_end: int) -> Judgement:
        """Read on until nothing can change the verdict and the watch time is over."""
        stream = self._stream
        least = train_end + ceil(self._watch_s * stream.rate_hz)
        most = max(least, train_end + ceil(LONGEST_WATCH_S * stream.rate_hz))
        judgement = stream.judgement()
        while (stream.n_samples < least or not judgement.final) and stream.n_samples < most:
            self._attendance.read(most - stream.n_samples)
            judgement = stream.judgement()
            since_s = (stream.n_samples - train_end) / stream.rate_hz
            self._listener(Watching(since_s, stream.discharge_s(), stream.spike_hz()))
        if judgement.verdict is Verdict.NONE and not judgement.final:
            judgement = replace(judgement, verdict=Verdict.UNDETERMINED)
        self._ledger.judged(judgement)
        return judgement

    def _judge_before(self, lost: SignalLost) -> Judgement:
        """The trial ends where the signal was lost; a discharge may have gone on unseen up to the new segment."""
        judgement = self._stream.closing_judgement()
        self._vigil.cross(lost)
        if judgement.verdict is not Verdict.NONE:
            self._ledger.perhaps_discharged()
        return replace(judgement, reason=f"{judgement.reason}; the signal was lost there: {lost}")
