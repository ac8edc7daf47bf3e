"""What an emulated NI board answers when it refuses: one table of codes, to be re-checked on a rig.

Names are those of the vendor's own enumeration. The circumstances of the codes that no public document settles
(over-rate, unplugging) are assumptions.
"""

from enum import IntEnum


class DaqCode(IntEnum):
    SAMPLES_NOT_YET_AVAILABLE = -200284
    SAMPLES_NO_LONGER_AVAILABLE = -200279
    SAMPLES_WILL_NEVER_BE_AVAILABLE = -200278
    DEV_CANNOT_BE_ACCESSED = -201003
    INVALID_DEVICE_ID = -200220
    PHYSICAL_CHAN_DOES_NOT_EXIST = -200170
    INVALID_ATTRIBUTE_VALUE = -200077
    INVALID_TASK = -200088
    DUPLICATE_TASK = -200089
    PAL_RESOURCE_RESERVED = -50103
    RUNTIME_ABORTED = -88709
    WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE = -200560
    CANNOT_PERFORM_OP_WHILE_TASK_RUNNING = -200479
    CANNOT_PERFORM_OP_WITHOUT_CHANNELS = -200478
    CHANNEL_ALREADY_IN_TASK = -200489
    READ_BUFFER_TOO_SMALL = -200229
    CANNOT_GET_PROPERTY_OF_IDLE_TASK = -200983
    MULTIPLE_DEVICES_IN_TASK = -200558
    INVALID_RANGE_SYNTAX = -200498
    INVALID_AO_DATA_WRITE = -200561
    OUTPUT_BUFFER_EMPTY = -200462
    DAC_UNDERFLOW = -200018
    SAMPLES_CANNOT_YET_BE_WRITTEN = -200292
    INVALID_ROUTING_SOURCE = -200040
    WRITE_NUM_CHANS_MISMATCH = -200524
    MULTIPLE_CHANNEL_TYPES_IN_TASK = -200559
    PAL_TRANSFER_ABORTED = -50405
    NOT_SUPPORTED_IN_TASK_CONTEXT = -200452


TEXTS = {
    DaqCode.SAMPLES_NOT_YET_AVAILABLE: "not all samples that were asked for have been acquired within the timeout",
    DaqCode.SAMPLES_NO_LONGER_AVAILABLE: "unread samples were overwritten: the task was read too late",
    DaqCode.SAMPLES_WILL_NEVER_BE_AVAILABLE: "the finite acquisition is over and all of its samples have been read",
    DaqCode.DEV_CANNOT_BE_ACCESSED: "the device cannot be accessed: it was unplugged or lost power",
    DaqCode.INVALID_DEVICE_ID: "there is no device of this name",
    DaqCode.PHYSICAL_CHAN_DOES_NOT_EXIST: "the device has no physical channel of this name",
    DaqCode.INVALID_ATTRIBUTE_VALUE: "the device does not support the requested value",
    DaqCode.INVALID_TASK: "there is no such task",
    DaqCode.DUPLICATE_TASK: "a task of this name exists already",
    DaqCode.PAL_RESOURCE_RESERVED: "the timing engine is reserved by another task",
    DaqCode.RUNTIME_ABORTED: "the task was stopped while it was being read",
    DaqCode.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE: "the task was not done within the timeout",
    DaqCode.CANNOT_PERFORM_OP_WHILE_TASK_RUNNING: "this cannot be done while the task runs",
    DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS: "this cannot be done while the task has no channels",
    DaqCode.CHANNEL_ALREADY_IN_TASK: "a channel of this name is already in the task",
    DaqCode.READ_BUFFER_TOO_SMALL: "the array is too small for the samples that were asked for",
    DaqCode.CANNOT_GET_PROPERTY_OF_IDLE_TASK: "this can only be asked of a task that is reserved or running",
    DaqCode.MULTIPLE_DEVICES_IN_TASK: "the channels of one task must belong to one device",
    DaqCode.INVALID_RANGE_SYNTAX: "a range of channels is not written as name0:3",
    DaqCode.INVALID_AO_DATA_WRITE: "a value to be written lies outside the channel's limits",
    DaqCode.OUTPUT_BUFFER_EMPTY: "nothing was written that could be put out",
    DaqCode.DAC_UNDERFLOW: "the converter ran out of samples: the computer did not refill the board in time",
    DaqCode.SAMPLES_CANNOT_YET_BE_WRITTEN: "not all samples could be written within the timeout",
    DaqCode.INVALID_ROUTING_SOURCE: "the device has no terminal of this name",
    DaqCode.WRITE_NUM_CHANS_MISMATCH: "the samples written are not those of the task's channels",
    DaqCode.MULTIPLE_CHANNEL_TYPES_IN_TASK: "the channels of one task must be of one type",
    DaqCode.PAL_TRANSFER_ABORTED: "the transfer to the device was aborted",
    DaqCode.NOT_SUPPORTED_IN_TASK_CONTEXT: "a task of this kind does not have this",
}


def text_of(code: int) -> str:
    """What the driver says about ``code``; empty for codes that the emulation does not know."""
    return TEXTS[DaqCode(code)] if code in TEXTS else ""


class BoardError(Exception):
    """A refusal with the vendor's code."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(": ".join(part for part in (text_of(code), detail) if part) or f"error {code}")
        self.code = int(code)
