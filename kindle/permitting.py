"""Whether a train may be given: limits, a whole baseline, intervals and budgets, before and after it is programmed."""

from drivers.interface import DeliveredTrain, PulseTrain, Stimulator
from kindle.attending import Attendance
from kindle.exposing import ExposureLedger
from kindle.safety import SafetyLimits, check_budgets, check_delivered, check_interlocks, check_train
from kindle.stream import Stream


class Permission:
    """Every method that takes a train raises ``UnsafeStimulus`` for one that a limit or an interlock forbids."""

    def __init__(
        self,
        limits: SafetyLimits,
        stream: Stream,
        stimulator: Stimulator,
        attendance: Attendance,
        ledger: ExposureLedger,
        *,
        baseline_s: float,
    ) -> None:
        self._limits = limits
        self._stream = stream
        self._stimulator = stimulator
        self._attendance = attendance
        self._ledger = ledger
        self._baseline_s = baseline_s

    def await_leave(self, train: PulseTrain) -> None:
        """Wait for the baseline; then ``train`` may be programmed."""
        check_train(train, self._limits)
        while (missing_s := self._baseline_s + 1.0 - self._attendance.since_gap_s) > 0:
            self._attendance.rest(missing_s, "baseline")
        self._ledger.note_late_end()
        self._check_interlocks(train)

    def programmed(self, train: PulseTrain) -> DeliveredTrain:
        """What the stimulator will deliver, programmed after a whole baseline without a gap.

        While a stimulator asks a person, samples may be lost: it is stopped then, and all begins again.
        """
        while True:
            self.await_leave(train)
            segment = self._stream.segment_start
            delivered = self._stimulator.prepare(train)
            if self._stream.segment_start == segment:
                break
        check_delivered(train, delivered, self._limits)
        check_budgets(delivered.charge_uc, self._ledger.exposure, self._limits)
        return delivered

    def check_again(self, train: PulseTrain, delivered: DeliveredTrain) -> None:
        """For a train that was programmed some time ago."""
        self._check_interlocks(train)
        check_budgets(delivered.charge_uc, self._ledger.exposure, self._limits)

    def _check_interlocks(self, train: PulseTrain) -> None:
        check_interlocks(train, self._ledger.exposure, self._stream.seconds(self._stream.n_samples), self._limits)
