"""What the journal says of each channel and each annotation that came out of another program's file."""

import msgspec

from drivers.interface import Role


class ImportedChannel(msgspec.Struct, frozen=True):
    """``source`` is its name in the file; ``exact`` where the counts of the file were kept as they were."""

    name: str
    source: str
    role: Role
    unit: str
    resolution: float
    exact: bool


class AlteredNote(msgspec.Struct, frozen=True):
    """An annotation whose text could not stand in a marker as it was."""

    sample: int
    source: str
    marker: str
