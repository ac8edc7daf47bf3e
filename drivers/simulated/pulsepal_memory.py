"""What messages change in a Pulse Pal, and what it answers to them; when that happens is the device's business."""

from dataclasses import replace

from drivers.pulsepal_codec import (
    ACKNOWLEDGED,
    N_CHANNELS,
    ChannelProgramme,
    Parameter,
    Programme,
    encode_programme,
    encode_version_reply,
)
from drivers.simulated.pulsepal_messages import (
    AbortAll,
    Disconnect,
    FixedVoltage,
    Handshake,
    Loop,
    Message,
    ReadSettings,
    SetCustomTrain,
    SetParameter,
    SetProgramme,
    SettingsFile,
    Trigger,
    UnknownParameter,
    encode_settings,
)
from drivers.simulated.pulsepal_output import Output

FACTORY = Programme(
    channels=(
        ChannelProgramme(
            phase1_cycles=2,
            interphase_cycles=2,
            phase2_cycles=2,
            interpulse_cycles=20,
            phase1_code=0xC000,
            phase2_code=0x4000,
            biphasic=0,
            link1=1,
        ),
    )
    * N_CHANNELS
)
"""Every output answers trigger input 1 with 5 V pulses."""

_FIELDS = {parameter: parameter.name.lower() for parameter in Parameter if parameter is not Parameter.TRIGGER_MODE}


class PulsePalMemory:
    """The programme in force, the settings file, and soft triggers that the next cycle will see."""

    def __init__(self, version: int) -> None:
        self.outputs = [Output(channel) for channel in FACTORY.channels]
        self.trigger_modes = FACTORY.trigger_modes
        self.soft_triggers: tuple[int, ...] = ()
        self._version = version
        self._settings = FACTORY

    def obey(self, message: Message, now_us: int) -> bytes:
        """Returns the answer, empty for messages that have none."""
        match message:
            case Handshake():
                return encode_version_reply(self._version)
            case SetProgramme(programme):
                self._load(programme)
                return ACKNOWLEDGED
            case SetParameter():
                self._set(message)
                return ACKNOWLEDGED
            case UnknownParameter():
                return ACKNOWLEDGED
            case SetCustomTrain(number, times, codes):
                for output in self.outputs:
                    output.custom_trains = {**output.custom_trains, number: tuple(zip(times, codes, strict=True))}
                return ACKNOWLEDGED
            case Trigger(channels):
                self.soft_triggers = channels
            case FixedVoltage(channel, code):
                for output in self._addressed(channel):
                    output.fix(code, now_us)
                return ACKNOWLEDGED
            case AbortAll() | Disconnect():
                self.abort(now_us)
            case Loop(channel, on):
                for output in self._addressed(channel):
                    self._loop(output, channel, on, now_us)
                return ACKNOWLEDGED
            case ReadSettings():
                return encode_settings(self._settings)
            case SettingsFile(1, _):
                self._settings = Programme(tuple(output.programme for output in self.outputs), self.trigger_modes)
            case SettingsFile(2, _):
                self._load(self._settings)
                return encode_programme(self._settings)[2:]
            case _:
                pass
        return b""

    def abort(self, now_us: int) -> None:
        """All outputs to rest; kept triggers and the endless mode survive."""
        for output in self.outputs:
            output.rest(now_us)

    def reset(self, now_us: int) -> None:
        """Factory programme, at rest."""
        self._load(FACTORY)
        for output in self.outputs:
            output.endless = output.latched = False
        self.abort(now_us)

    def _load(self, programme: Programme) -> None:
        for output, channel in zip(self.outputs, programme.channels, strict=True):
            output.programme = channel
        self.trigger_modes = programme.trigger_modes

    def _set(self, message: SetParameter) -> None:
        if message.parameter is Parameter.TRIGGER_MODE:
            first, second = self.trigger_modes
            self.trigger_modes = (message.value, second) if message.channel == 1 else (first, message.value)
            return
        for output in self._addressed(message.channel):
            output.programme = replace(output.programme, **{_FIELDS[message.parameter]: message.value})

    def _loop(self, output: Output, channel: int, on: bool, now_us: int) -> None:
        output.endless = on
        if on:
            self.soft_triggers = (channel,)
        else:
            output.rest(now_us)

    def _addressed(self, channel: int) -> list[Output]:
        """The real device would write outside its tables for a channel that it does not have; here that is lost."""
        return self.outputs[channel - 1 : channel] if channel else []
