"""Pulse Pal 2 (Sanworks) as a stimulator: a voltage programme, played by the instrument into a calibrated isolator."""

import atexit
import logging
from contextlib import suppress
from threading import RLock

from drivers.interface import Abort, DeliveredTrain, DeviceNotFound, DeviceRefused, DriverError, LinkLost, PulseTrain
from drivers.pulsepal_codec import (
    ABORT,
    ACKNOWLEDGED,
    DISCONNECT,
    HANDSHAKE,
    N_CHANNELS,
    SILENT,
    ChannelProgramme,
    Programme,
    encode_emergency_stop,
    encode_loop_off,
    encode_programme,
    encode_trigger,
    encode_version_reply,
    encode_zero_amplitude,
    parse_version_reply,
)
from drivers.pulsepal_train import OutputStage, quantise
from drivers.serial_wire import SerialLink, SerialWire, open_wire
from drivers.stimulator_state import State, require

LOG = logging.getLogger(__name__)

FIRMWARE = {20: "2.0.0", 21: "2.0.1"}
"""Firmware numbers whose messages and behaviour are known; anything else is refused."""

HANDSHAKE_TIMEOUT_S = 1.0
EXCHANGE_TIMEOUT_S = 0.5


class PulsePal:
    """One output channel of a Pulse Pal, in uA; thread-safe.

    ``ua_per_v`` is the measured calibration of the isolator behind ``channel``. ``sync_channel`` puts out +5 V for
    the length of every train. ``positive_is_cathodic`` says which way the isolator is wired. ``settle_s`` is how long
    ``identify`` keeps quiet, so that half a message of a program that died has timed out before the first byte.
    """

    def __init__(
        self,
        address: str,
        *,
        channel: int = 1,
        sync_channel: int | None = None,
        ua_per_v: float,
        max_current_ua: float,
        positive_is_cathodic: bool = False,
        settle_s: float = 0.6,
        wire: SerialWire | None = None,
    ) -> None:
        self._channels = (channel,) if sync_channel is None else (channel, sync_channel)
        if len(set(self._channels)) != len(self._channels) or not set(self._channels) <= set(range(1, N_CHANNELS + 1)):
            raise DeviceRefused(
                f"{address}: channel {channel} and sync_channel {sync_channel} must be two of 1 to {N_CHANNELS}"
            )
        self._stage = OutputStage(ua_per_v, max_current_ua, positive_is_cathodic)
        self._address = address
        self._settle_s = settle_s
        self._given_wire = wire
        self._link: SerialLink | None = None
        self._hello = b""
        self._state = State.UNIDENTIFIED
        self._lock = RLock()

    @property
    def state(self) -> State:
        return self._state

    def identify(self) -> str:
        """Prove firmware 20 or 21, then force all four channels to 0 V, unlinked from the trigger inputs.

        Raises ``DeviceNotFound`` (nothing answers, or something else does), ``DeviceRefused`` (another firmware) and
        ``LinkLost`` (the answer broke off).
        """
        with self._lock:
            self._state = State.FAULT
            self._reopen()
        self._keep_quiet()
        with self._lock:
            version = self._prove_firmware()
            self._expect(encode_programme(SILENT), ACKNOWLEDGED, "programming silence")
            for channel in range(1, N_CHANNELS + 1):
                self._expect(encode_loop_off(channel), ACKNOWLEDGED, f"ending the endless mode of channel {channel}")
            self._expect(ABORT + ABORT + HANDSHAKE, self._hello, "forcing the outputs to rest")
            self._state = State.IDLE
            atexit.unregister(self.close)
            atexit.register(self.close)
        return f"Pulse Pal 2, firmware {FIRMWARE[version]} ({version}), at {self._address}"

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        """Programme ``train`` in one acknowledged message; whatever was prepared before is gone, refused or not."""
        with self._lock:
            self._require(State.IDLE, State.ARMED, State.DONE, verb="prepare")
            if self._state is State.ARMED:
                self._zero_amplitude()
            self._state = State.IDLE
            quantised = quantise(train, self._stage)
            roles = dict(zip(self._channels, (quantised.stimulus, quantised.sync), strict=False))
            channels = tuple(roles.get(n, ChannelProgramme()) for n in range(1, N_CHANNELS + 1))
            self._expect(encode_programme(Programme(channels)), ACKNOWLEDGED, "programming the train")
            self._state = State.ARMED
            return quantised.delivered

    def fire(self) -> None:
        """Trigger and handshake in one write: the trigger has no reply, but the handshake is read after it."""
        with self._lock:
            self._require(State.ARMED, verb="fire")
            self._state = State.FIRING
            try:
                self._expect(encode_trigger(self._channels) + HANDSHAKE, self._hello, "triggering the train")
            except LinkLost as error:
                raise LinkLost(
                    f"{error}; the train may have been delivered: count it as delivered, and void"
                ) from error

    def rest(self) -> None:
        """Set the amplitudes to 0 V; call it when the train is over, because a running train would take them over."""
        with self._lock:
            self._require(State.IDLE, State.ARMED, State.FIRING, State.DONE, verb="rest")
            self._zero_amplitude()
            self._state = State.DONE

    def abort(self) -> Abort:
        """Stop in the instrument's next cycle (50 us) after the bytes arrive, and zero the amplitude.

        The bytes are written at once, also while another thread waits for an answer. The proof waits for that
        exchange: at most 1 s, half of it for writing and half for reading (1.5 s in the handshake of ``identify``).
        ``CONFIRMED`` means that the expected answer came, whose end the device can give only after it has stopped.
        """
        waits = self._busy_elsewhere()
        if waits:
            self._write_stop()
        with self._lock:
            confirmed = self._prove_stop()
            if waits and self._link is not None:
                # The answer to the first stop may still be on its way; no other exchange may take it for its own.
                with suppress(DriverError):
                    self._link.discard(0.05)
            if not confirmed:
                self._state = State.FAULT
            elif self._state is not State.FAULT:
                self._state = State.IDLE
            return Abort.CONFIRMED if confirmed else Abort.UNCONFIRMED

    def close(self) -> None:
        """Stop, say good-bye and let go of the port. Never raises."""
        with self._lock:
            if self._state is not State.UNIDENTIFIED:
                self.abort()
            if self._link is not None:
                if self._hello:
                    self._say_goodbye()
                self._link.close()
                self._link = None
            self._hello = b""
            self._state = State.UNIDENTIFIED
            atexit.unregister(self.close)

    def _reopen(self) -> None:
        """A port that failed does not recover by itself; a given wire is kept as it is."""
        if self._link is not None and self._given_wire is None:
            self._link.close()
            self._link = None
        self._hello = b""
        if self._link is None:
            self._link = SerialLink(self._address, self._given_wire or open_wire(self._address, baudrate=115200))

    def _keep_quiet(self) -> None:
        """In slices, so that an abort from another thread need not wait for all of it."""
        n_slices = max(1, round(self._settle_s / 0.1))
        for _ in range(n_slices):
            with self._lock:
                self._connected().discard(self._settle_s / n_slices)

    def _prove_firmware(self) -> int:
        reply = self._connected().exchange(HANDSHAKE, 5, HANDSHAKE_TIMEOUT_S)
        try:
            version = parse_version_reply(reply)
        except ValueError as error:
            raise DeviceNotFound(
                f"{self._address} does not answer like a Pulse Pal ({error}): check the address; if its display says "
                "COMM. FAILURE, click its joystick, else unplug it and plug it in again"
            ) from None
        if version not in FIRMWARE:
            why = "its 8-bit outputs are too coarse" if version < 20 else "its behaviour is not known"
            raise DeviceRefused(
                f"{self._address} is a Pulse Pal with firmware number {version}: {why}; use a Pulse Pal 2 with "
                "firmware 2.0.0 or 2.0.1 (number 20 or 21)"
            )
        self._hello = encode_version_reply(version)
        return version

    def _zero_amplitude(self) -> None:
        messages = b"".join(map(encode_zero_amplitude, self._channels))
        self._expect(messages, ACKNOWLEDGED * 2 * len(self._channels), "setting the amplitude to 0 V")

    def _busy_elsewhere(self) -> bool:
        if not self._lock.acquire(blocking=False):
            return True
        self._lock.release()
        return False

    def _write_stop(self) -> bool:
        """Whether the bytes went out. Never raises: a stop comes back with an answer whatever happened to the port."""
        # An 8-bit Pulse Pal would read the two bytes of 0 V as -10 V; only the plain abort is the same for all.
        message = encode_emergency_stop(self._channels) if self._hello else ABORT + ABORT
        try:
            self._connected().write(message)
        except Exception as error:
            LOG.error("%s: the stop could not be sent: %s", self._address, error)
            return False
        return True

    def _prove_stop(self) -> bool:
        """Send the emergency stop; whether its answer came. Never raises."""
        try:
            self._connected().discard(0.0)
        except Exception as error:
            LOG.warning("%s: cannot be read before the stop, which is sent all the same: %s", self._address, error)
        if not self._write_stop() or not self._hello:
            return False
        expected = ACKNOWLEDGED * 2 * len(self._channels) + self._hello
        try:
            reply = self._connected().read(len(expected), EXCHANGE_TIMEOUT_S)
        except Exception as error:
            LOG.error("%s: the stop was sent, its answer cannot be read: %s", self._address, error)
            return False
        if reply != expected:
            LOG.error(
                "%s: the stop was answered %s, not %s", self._address, reply.hex() or "not at all", expected.hex()
            )
        return reply == expected

    def _say_goodbye(self) -> None:
        try:
            self._connected().write(DISCONNECT)
        except DriverError as error:
            LOG.warning("%s: could not say good-bye: %s", self._address, error)

    def _expect(self, message: bytes, expected: bytes, doing: str) -> None:
        """One exchange; anything but ``expected`` is a fault. Raises ``LinkLost``; never repeats a message."""
        try:
            reply = self._connected().exchange(message, len(expected), EXCHANGE_TIMEOUT_S)
        except LinkLost:
            self._state = State.FAULT
            raise
        if reply != expected:
            self._state = State.FAULT
            raise LinkLost(
                f"{self._address}: {doing} was answered {reply.hex() or 'not at all'} instead of {expected.hex()}: "
                "look at the display of the Pulse Pal, then connect again"
            )

    def _connected(self) -> SerialLink:
        if self._link is None:
            raise LinkLost(f"{self._address} is not connected: connect first")
        return self._link

    def _require(self, *states: State, verb: str) -> None:
        require(self._state, *states, verb=verb, address=self._address)
