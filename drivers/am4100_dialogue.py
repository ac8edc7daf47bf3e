"""What is said to a 4100 and what it answers: every request is echoed, every setting is read back."""

import logging

from drivers.am4100_codec import (
    BAUD,
    CLOSE_RELAY,
    DANGER,
    GET_ACTIVE,
    GET_CONDITION,
    GET_REVISION,
    NO_COMMAND,
    OPEN_RELAY,
    PARITY,
    RUN,
    STOP,
    TRIGGER_NONE,
    TRIGGER_ONE,
    Activity,
    Condition,
    Settings,
    answer_or_no,
    answer_to,
    encode,
    get_menu,
    parse_activity,
    parse_condition,
    parse_revision,
    set_menu,
)
from drivers.am4100_train import SILENT, OutputStage, quantise
from drivers.interface import DeliveredTrain, DeviceNotFound, DeviceRefused, LinkLost, PulseTrain
from drivers.serial_wire import SerialLink, SerialWire, open_wire
from drivers.text_link import TextLink, readable

LOG = logging.getLogger(__name__)

EXCHANGE_TIMEOUT_S = 1.0


class AM4100Dialogue:
    """A ``Dialogue``, through USB or telnet alike; ``pin`` is the one set at the front panel."""

    def __init__(self, address: str, stage: OutputStage, pin: int, settle_s: float, wire: SerialWire | None) -> None:
        self.address = address
        self._stage = stage
        self._pin: int | None = None
        self._given_pin = pin
        self._settle_s = settle_s
        self._given_wire = wire
        self._link: TextLink | None = None
        self._proven = False

    def open(self) -> None:
        """A port that failed does not recover by itself; telnet greets, and half a line may be left."""
        self.close()
        wire = self._given_wire or open_wire(self.address, baudrate=BAUD, parity=PARITY)
        self._link = TextLink(SerialLink(self.address, wire))
        self._link.discard(self._settle_s)
        self._link.send(NO_COMMAND)
        self._link.discard(self._settle_s)

    def prove(self) -> str:
        """Its revision and its PIN; then stopped, without free run or amplitude, the output relay open."""
        link = self._connected()
        request = encode(GET_REVISION)
        link.send(request)
        found, text = link.receive(answer_to(request), EXCHANGE_TIMEOUT_S)
        if found is None or found[1] is None:
            raise DeviceNotFound(
                f"{self.address} does not answer like a Model 4100 ({readable(text)}): check the address, and that its "
                "remote control is on"
            )
        try:
            revision = parse_revision(found[1].decode("ascii", "replace"))
        except ValueError as error:
            raise DeviceRefused(f"{self.address} is another instrument: {error}") from None
        self._pin = self._given_pin if revision.takes_pin else None
        self._proven = True
        self._do(STOP, "stopping")
        self._do(TRIGGER_NONE, "ending free run")
        self._do(OPEN_RELAY, "opening the output relay")
        self._write(SILENT)
        if not self._is_safe():
            raise DeviceRefused(
                f"{self.address} does not stop or does not open its output relay: look at its front panel"
            )
        return f"A-M Systems 4100, revision {revision}"

    def programme(self, train: PulseTrain) -> DeliveredTrain:
        """Stopped, written, read back, then run: changed values take effect only at a run."""
        quantised = quantise(train, self._stage)
        self._do(STOP, "stopping")
        self._write(quantised.settings)
        try:
            self._arm()
        except DeviceRefused:
            self.silence()
            raise
        return quantised.delivered

    def trigger(self) -> None:
        try:
            self._do(TRIGGER_ONE, "triggering the train")
        except DeviceRefused as error:
            raise LinkLost(str(error)) from error

    def read_outcome(self) -> None:
        activity = self._activity()
        if activity.playing:
            raise LinkLost(
                f"{self.address} says {activity.value!r} after the train: it is still stimulating; stop it at its "
                "front panel"
            )

    def silence(self) -> None:
        """Stopped, amplitude 0, output relay open."""
        self._do(STOP, "stopping")
        self._do(OPEN_RELAY, "opening the output relay")
        self._write(SILENT)

    def send_stop(self) -> None:
        if self._proven:
            self._connected().send(encode(STOP, self._pin))

    def prove_stop(self) -> bool:
        """Its status is Ready, and its flags say that the output relay is open."""
        if not self._proven:
            return False
        link = self._connected()
        link.send(encode(STOP, self._pin))
        answered, _ = link.receive(answer_to(encode(STOP, self._pin)), EXCHANGE_TIMEOUT_S)
        # The relay cuts the current where the stop was not understood.
        link.send(encode(OPEN_RELAY, self._pin))
        if answered is None:
            return False
        link.receive(answer_to(encode(OPEN_RELAY, self._pin)), EXCHANGE_TIMEOUT_S)
        return self._is_safe()

    def discard(self, quiet_s: float) -> None:
        self._connected().discard(quiet_s)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
        self._proven = False

    def _arm(self) -> None:
        self._do(CLOSE_RELAY, "closing the output relay")
        self._do(RUN, "arming")
        activity, condition = self._activity(), self._condition()
        LOG.info("%s is armed; it says %r, %s", self.address, activity.value, condition)
        if activity.playing or condition.generating:
            raise LinkLost(
                f"{self.address} says {activity.value!r} before it was triggered: stop it at its front panel"
            )
        if activity.ready or condition.relay_open or condition.free_run:
            relay = "open" if condition.relay_open else "closed"
            raise DeviceRefused(
                f"{self.address} does not wait for its trigger: it says {activity.value!r}, its output relay is "
                f"{relay}, free run is {'on' if condition.free_run else 'off'}; look at its front panel"
            )

    def _is_safe(self) -> bool:
        activity, condition = self._activity(), self._condition()
        return activity.ready and condition.relay_open and not condition.generating

    def _write(self, settings: Settings) -> None:
        for setting, value in settings.items():
            self._do(set_menu(setting, value), f"setting item {setting.item} of menu {setting.menu}")
            said = self._ask(get_menu(setting))
            if said.strip() != str(value):
                raise LinkLost(
                    f"{self.address}: item {setting.item} of menu {setting.menu} was set to {value} and reads back "
                    f"{said.strip()!r}: connect again"
                )

    def _activity(self) -> Activity:
        try:
            return parse_activity(self._ask(GET_ACTIVE))
        except ValueError as error:
            raise LinkLost(f"{self.address}: {error}") from None

    def _condition(self) -> Condition:
        try:
            return parse_condition(self._ask(GET_CONDITION))
        except ValueError as error:
            raise LinkLost(f"{self.address}: {error}") from None

    def _ask(self, words: str) -> str:
        value = self._exchange(encode(words), f"the question {words!r}")
        if value is None:
            raise LinkLost(f"{self.address}: the question {words!r} was answered without a value: connect again")
        return value

    def _do(self, words: str, doing: str) -> None:
        self._exchange(encode(words, self._pin), doing)

    def _exchange(self, request: bytes, doing: str) -> str | None:
        """Never repeated. Raises ``DeviceRefused`` where the instrument says no, ``LinkLost`` for any other answer."""
        link = self._connected()
        link.discard(0.0)
        link.send(request)
        answer = answer_to(request, encode(STOP, self._pin))
        found, text = link.receive(answer_or_no(answer), EXCHANGE_TIMEOUT_S)
        if (complete := answer.fullmatch(text)) is not None:
            return None if complete[1] is None else complete[1].decode("ascii", "replace")
        if found is not None and DANGER.search(text):
            # Whatever is said now may count as the confirmation.
            raise LinkLost(
                f"{self.address} asks for a confirmation of a dangerous voltage: refuse it at its front panel"
            )
        if found is not None and request in text:
            raise DeviceRefused(f"{self.address} refuses: {doing} was answered with {readable(text)}; check the PIN")
        raise LinkLost(f"{self.address}: {doing} was answered with {readable(text)}: connect again")

    def _connected(self) -> TextLink:
        if self._link is None:
            raise LinkLost(f"{self.address} is not connected: connect first")
        return self._link
