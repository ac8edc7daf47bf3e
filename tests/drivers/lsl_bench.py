"""A real LSL outlet on this computer alone, whose samples and stamps are the test's own."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import pylsl

from drivers.lsl import LslInput, LslSource

# Nothing leaves this computer, and tests that run beside this one in another process are not seen.
pylsl.set_config_content(
    f"""
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[ports]
IPv6 = disable
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = kindle{os.getpid()}
[tuning]
TimeProbeCount = 3
TimeUpdateMinProbes = 2
TimeProbeMaxRTT = 0.02
[log]
level = -3
"""
)

RATE_HZ = 1000.0
FIRST_S = 500.0
EEG = LslInput("LA1", "Amygdala", "eeg", "µV", 0.5)
TTL = LslInput("Trig", "TTL", "stimulus_ttl", "V", 0.001)
DESCRIBED = (("LA1", "microvolts"), ("spare", ""), ("Trig", "V"))
_numbers = count()


class Sender:
    """``push`` sends samples whose first channel counts them; ``lose`` leaves some out of signal and stamps."""

    def __init__(
        self,
        name: str,
        *,
        source_id: str = "amplifier",
        rate_hz: float = RATE_HZ,
        kind: str = "float32",
        described: Sequence[tuple[str, ...]] = DESCRIBED,
    ) -> None:
        self.name = name
        self.rate_hz = rate_hz
        self._dtype = np.int16 if kind == "int16" else np.float64 if kind == "double64" else np.float32
        info = pylsl.StreamInfo(name, "EEG", 3, rate_hz, kind, source_id)
        channels = info.desc().append_child("channels")
        for told in described:
            channel = channels.append_child("channel")
            for key, value in zip(("label", "unit", "scaling_factor"), told, strict=False):
                channel.append_child_value(key, value)
        self._outlet: Any = pylsl.StreamOutlet(info, max_buffered=60)
        self._next = 0

    def lose(self, n_samples: int) -> None:
        self._next += n_samples

    def push(self, n_samples: int, *, late_s: float = 0.0, values: Any = None) -> None:
        assert self._outlet.wait_for_consumers(5.0)
        numbers = np.arange(self._next, self._next + n_samples)
        sent = np.zeros((n_samples, 3), self._dtype)
        sent[:, 0] = numbers % 30_000 if values is None else values
        stamps = FIRST_S + numbers / self.rate_hz + late_s
        self._outlet.push_chunk(np.ascontiguousarray(sent), stamps.tolist())
        self._next += n_samples

    def end(self) -> None:
        self._outlet = None


def new_name() -> str:
    return f"amplifier {next(_numbers)}"


def sender(**settings: Any) -> Sender:
    return Sender(new_name(), **settings)


@contextmanager
def listening(
    sending: Sender, inputs: Sequence[LslInput] = (EEG, TTL), *, source_id: str = "amplifier", **settings: Any
) -> Iterator[LslSource]:
    source = LslSource(sending.name, inputs, RATE_HZ, source_id=source_id, **settings)
    try:
        source.start()
        yield source
    finally:
        source.close()


@contextmanager
def streaming_source() -> Iterator[LslSource]:
    """Not started; as soon as it is, it is sent five seconds of signal."""
    sending = sender()
    source = LslSource(sending.name, (EEG, TTL), RATE_HZ, source_id="amplifier")
    ended = threading.Event()

    def feed() -> None:
        while not ended.is_set():
            if sending._outlet.wait_for_consumers(0.05):
                sending.push(5000)
                return

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        yield source
    finally:
        ended.set()
        feeding.join(10.0)
        source.close()
        sending.end()
