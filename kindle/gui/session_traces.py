"""What a session shows on its traces: train, discharges as they go on and as they were judged, gaps, verdict."""

from detectors.criterion import Verdict
from drivers.interface import Block, Channel
from kindle.exchange import Trial, VoidTrial
from kindle.gui.look import Look
from kindle.gui.next_panel import HIDDEN
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import TraceSettings
from kindle.rungs import outcome_word
from kindle.situation import Phase, Situation


class SessionTraces:
    """``picture`` is the widget; it knows no session."""

    def __init__(self, channels: tuple[Channel, ...], rate_hz: float, look: Look, settings: TraceSettings) -> None:
        self._rows = [row for row, channel in enumerate(channels) if channel.role != "aux"]
        self.picture = LiveTraces([channels[row] for row in self._rows], rate_hz, look, settings)
        self._shown: tuple[Trial | VoidTrial, ...] | None = None
        self._hidden = False
        self._n_gaps = 0
        self._train_end = -1

    def push(self, first_sample: int, block: Block) -> None:
        """From the thread of the session."""
        self.picture.push(first_sample, block[self._rows])

    def show_situation(self, now: Situation, *, hides: bool) -> None:
        """``hides`` what the EEG says of the last train."""
        picture = self.picture
        if now.train is not None and now.train.end is not None and now.train.end > self._train_end:
            self._train_end = now.train.end
            picture.show_train(now.train.onset, now.train.end)
        for sample, n_lost in now.gaps[self._n_gaps :]:
            picture.show_gap(sample, n_lost)
        self._n_gaps = len(now.gaps)
        if hides:
            if not self._hidden:
                picture.hide_discharges()
                picture.show_verdict(HIDDEN)
            self._hidden, self._shown = True, None
            return
        self._hidden = False
        if now.trials is self._shown:
            if now.discharge is not None and now.phase is Phase.WATCHING:
                picture.show_discharge(now.discharge.onset, now.discharge.end)
                picture.show_spike_rate(now.spike_hz)
        else:
            self._shown = now.trials
            # A train of before an interruption lies in another recording than the one on the screen.
            if now.trials and now.train is not None:
                self._show_verdict(now.trials[-1])

    def _show_verdict(self, trial: Trial | VoidTrial) -> None:
        picture = self.picture
        match trial:
            case Trial(verdict=Verdict.AFTERDISCHARGE):
                first, *later = trial.afterdischarges
                picture.hide_discharges()
                picture.show_discharge(first.onset_sample, first.end_sample)
                for secondary in later:
                    picture.show_discharge(secondary.onset_sample, secondary.end_sample, secondary=True)
                picture.show_verdict(f"{trial.train.current_ua:.4g} µA: {outcome_word(trial)}", first.confidence)
            case VoidTrial():
                picture.hide_discharges()
                picture.show_verdict(f"{trial.train.current_ua:.4g} µA: {outcome_word(trial)}, {trial.reason}")
            case _:
                word = "no afterdischarge" if trial.verdict is Verdict.NONE else outcome_word(trial)
                picture.show_verdict(f"{trial.train.current_ua:.4g} µA: {word}, {trial.reason}")
        if isinstance(trial, Trial):
            picture.show_baseline(trial.channel, trial.baseline_uv)
