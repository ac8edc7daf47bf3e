"""What stands above the traces: the verdict, the running discharge, and what the display itself has to say."""

from dataclasses import dataclass

from kindle.gui.traces.marks import Span


@dataclass(frozen=True, slots=True)
class Headline:
    verdict: str = ""
    confidence: float | None = None
    spike_hz: float | None = None

    @property
    def left(self) -> str:
        sure = "" if self.confidence is None or not self.verdict else f"  ·  confidence {self.confidence:.2f}"
        return self.verdict + sure

    def right(self, running: Span | None, n_samples: int, rate_hz: float) -> str:
        """The clock of a discharge that goes on, and its rate."""
        if running is None:
            return ""
        clock = f"afterdischarge {max(0, n_samples - running.onset_sample) / rate_hz:.1f} s"
        return clock if self.spike_hz is None else f"{clock}  ·  {self.spike_hz:.1f} spikes/s"


def aside(*, paused: bool, n_dropped: int, rate_hz: float) -> str:
    """What may not be overlooked about the display; the recording is never touched by it."""
    said = ["PAUSED"] if paused else []
    if n_dropped:
        said.append(f"{n_dropped / rate_hz:.1f} s not drawn, all recorded")
    return "  ·  ".join(said)


def clock(second: float) -> str:
    """m:ss, or h:mm:ss."""
    hours, rest = divmod(round(second), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
