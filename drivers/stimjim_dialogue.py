"""What is said to a StimJim and what it answers: every train is echoed, compared, and measured by the device."""

import re

from drivers.delivery_report import DeliveryReport
from drivers.interface import DeliveredTrain, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.serial_wire import SerialLink, SerialWire, open_wire
from drivers.stimjim_codec import (
    ANSWER_TO_STOP,
    ECHO,
    OFFSETS,
    OFFSETS_ANSWER,
    SILENT,
    STARTED,
    STOP,
    STOP_OTHER_TIMER,
    STOPPED,
    STOPS,
    TrainDefinition,
    encode_definition,
    encode_start,
    encode_start_on_other_timer,
    encode_sync,
    parse_current_offsets,
    parse_definition,
    parse_summary,
    summary_answer,
    sync_answer,
)
from drivers.stimjim_report import judge_summary
from drivers.stimjim_train import OutputStage, QuantisedTrain, quantise
from drivers.text_link import TextLink, readable

TRAIN, PROBE = 0, 99
"""The trains that are used here, of the hundred that the device remembers."""
EXCHANGE_TIMEOUT_S = 0.5
REMEDY = "install firmware of 2024-08-21 or later"


class StimJimDialogue:
    """A ``Dialogue``; ``tolerance`` is the share of the current by which what the device measures may differ."""

    def __init__(
        self, address: str, stage: OutputStage, tolerance: float, settle_s: float, wire: SerialWire | None
    ) -> None:
        self.address = address
        self.report: DeliveryReport | None = None
        self._stage = stage
        self._tolerance = tolerance
        self._settle_s = settle_s
        self._given_wire = wire
        self._link: TextLink | None = None
        self._stoppable = False
        """Before any train was started a stop would read an unset pointer of the firmware."""
        self._train: QuantisedTrain | None = None

    def open(self) -> None:
        """A port that failed does not recover by itself."""
        self.close()
        wire = self._given_wire or open_wire(self.address, baudrate=115200)
        self._link = TextLink(SerialLink(self.address, wire))
        self._link.discard(self._settle_s)

    def prove(self) -> str:
        """A StimJim with a stop and a sync output; leaves both outputs grounded, IN0 and IN1 driven by the device."""
        link = self._connected()
        link.send(OFFSETS)
        found, text = link.receive(OFFSETS_ANSWER, EXCHANGE_TIMEOUT_S)
        if found is None or found[0] != text:
            raise DeviceNotFound(
                f"{self.address} does not answer like a StimJim ({readable(text)}): check the address, or unplug it "
                "and plug it in again"
            )
        offsets = parse_current_offsets(found)
        self._prove_stop_exists()
        for channel in (0, 1):
            self._prove_sync(channel)
        self.silence()
        self._stage = self._stage.with_offset(offsets[self._stage.channel])
        return f"StimJim, firmware of 2024-08-21 or later, channel {self._stage.channel}"

    def programme(self, train: PulseTrain) -> DeliveredTrain:
        self.report = None
        self._train = quantise(train, self._stage)
        self._define(TRAIN, self._train.definition, "programming the train")
        return self._train.delivered

    def trigger(self) -> None:
        started = self._expect(encode_start(TRAIN), STARTED, "starting the train")
        if int(started[1]) != TRAIN:
            raise self._nonsense("starting the train", started[0])

    def read_outcome(self) -> None:
        """The summary, which the device prints by itself at the train's end."""
        assert self._train is not None
        n_stages = len(self._train.definition.stages)
        found, text = self._connected().receive(summary_answer(n_stages), EXCHANGE_TIMEOUT_S)
        if found is None:
            raise LinkLost(
                f"{self.address} says {readable(text)} where the summary of the train is due: it may still be "
                "stimulating; switch it off, then connect again"
            )
        self.report = judge_summary(parse_summary(found), self._train, self._stage.channel, self._tolerance)

    def silence(self) -> None:
        """Never while a train runs: it would take over the definition."""
        self._define(TRAIN, SILENT, "programming silence")

    def send_stop(self) -> None:
        if self._stoppable:
            self._connected().send(STOP)

    def prove_stop(self) -> bool:
        """A pulse in progress is completed first, so that its charge is balanced."""
        if not self._stoppable:
            return False
        self._connected().send(STOP + OFFSETS)
        found, text = self._connected().receive(STOPPED, EXCHANGE_TIMEOUT_S)
        if found is None:
            raise self._nonsense("the stop", text)
        return True

    def discard(self, quiet_s: float) -> None:
        self._connected().discard(quiet_s)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
        self._stoppable = False

    def _prove_stop_exists(self) -> None:
        """With a train that puts out nothing, and takes both timers from what a program that died left running."""
        self._define(PROBE, SILENT, "programming a silent train")
        for start, stop in (
            (encode_start(PROBE), STOP),
            (encode_start_on_other_timer(PROBE), STOP_OTHER_TIMER),
        ):
            self._expect(start, STARTED, "starting a silent train")
            self._connected().send(stop)
            found, text = self._connected().receive(ANSWER_TO_STOP, EXCHANGE_TIMEOUT_S)
            if found is None:
                raise self._nonsense("stopping a silent train", text)
            if b"Forcing" not in found[0]:
                raise DeviceRefused(f"{self.address} is a StimJim whose firmware has no stop: {REMEDY}")
            self._stoppable = True

    def _prove_sync(self, channel: int) -> None:
        link = self._connected()
        link.discard(0.0)
        link.send(encode_sync(channel))
        found, text = link.receive(sync_answer(channel), EXCHANGE_TIMEOUT_S)
        if found is None and text.startswith(b"Detaching interrupt"):
            raise DeviceRefused(f"{self.address} is a StimJim whose firmware has no sync output: {REMEDY}")
        if found is None:
            raise self._nonsense(f"making IN{channel} the sync output", text)

    def _define(self, index: int, train: TrainDefinition, doing: str) -> None:
        """Write and compare the echo, every number of it."""
        found = self._expect(encode_definition(index, train), ECHO, doing)
        try:
            echoed = parse_definition(found)
        except ValueError:
            raise self._nonsense(doing, found[0]) from None
        if echoed != (index, train):
            raise LinkLost(
                f"{self.address}: {doing} was echoed as train {echoed[0]}, {echoed[1]}, where train {index}, {train}, "
                "was written: connect again"
            )

    def _expect(self, message: bytes, pattern: re.Pattern[bytes], doing: str) -> re.Match[bytes]:
        """One exchange; anything but an answer of ``pattern`` is a lost link. Never repeated."""
        link = self._connected()
        link.discard(0.0)
        link.send(message)
        found, text = link.receive(pattern, EXCHANGE_TIMEOUT_S)
        if found is None or not STOPS.fullmatch(text, 0, len(text) - len(found[0])):
            raise self._nonsense(doing, text)
        return found

    def _nonsense(self, doing: str, text: bytes) -> LinkLost:
        return LinkLost(f"{self.address}: {doing} was answered with {readable(text)}: connect again")

    def _connected(self) -> TextLink:
        if self._link is None:
            raise LinkLost(f"{self.address} is not connected: connect first")
        return self._link
