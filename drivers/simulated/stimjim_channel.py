"""One output of a StimJim: codes in, current through its load out, and the reading of its own converter."""

from drivers.simulated.stimulator_output import LevelRecord
from drivers.stimjim_codec import CURRENT, UA_PER_CODE, UA_PER_READING, VOLTAGE, code_of

COMPLIANCE_V = 13.7
MV_PER_CODE = 0.4574
MV_PER_READING = 2.44


class Channel:
    """``load_kohm`` may be changed between trains."""

    def __init__(self, current_offset: int, load_kohm: float) -> None:
        self.load_kohm = load_kohm
        self.commanded = LevelRecord()
        """uA that the converter was told, as an oscilloscope at the converter shows it."""
        self.flowed = LevelRecord()
        """uA through the load."""
        self._current_offset = current_offset

    def put_out(self, mode: int, amplitude: int, at_us: int) -> float:
        """From ``at_us`` on; returns what the device reads back, uA or mV."""
        if mode == CURRENT:
            # 16 bits, and nobody checks: 3400 uA are -3265 uA.
            code = _wrapped(code_of(amplitude, self._current_offset) + self._current_offset) - self._current_offset
            asked_ua = code * UA_PER_CODE
            limit_ua = COMPLIANCE_V / self.load_kohm * 1000
            ua = min(max(asked_ua, -limit_ua), limit_ua)
        elif mode == VOLTAGE:
            millivolts = _wrapped(int(amplitude / MV_PER_CODE)) * MV_PER_CODE
            asked_ua = ua = millivolts / self.load_kohm
        else:
            return 0.0
        self.commanded.set(asked_ua, at_us)
        self.flowed.set(ua, at_us)
        if mode == CURRENT:
            return round(ua / UA_PER_READING) * UA_PER_READING
        return round(ua * self.load_kohm / MV_PER_READING) * MV_PER_READING

    def ground(self, at_us: int) -> None:
        self.commanded.set(0.0, at_us)
        self.flowed.set(0.0, at_us)

    def cut(self, at_us: int) -> None:
        self.commanded.cut(at_us)
        self.flowed.cut(at_us)


def _wrapped(code: int) -> int:
    return (code + 0x8000) % 0x10000 - 0x8000
