"""Every stimulator that the contract suite runs on; a new one adds its module here."""

import am4100_bench
import counter_bench
import isolator_bench
import manual_bench
import pulsepal_bench
import stimjim_bench
from stimulator_bench import Instrument

INSTRUMENTS: tuple[Instrument, ...] = (
    *pulsepal_bench.INSTRUMENTS,
    *isolator_bench.INSTRUMENTS,
    *counter_bench.INSTRUMENTS,
    *manual_bench.INSTRUMENTS,
    *stimjim_bench.INSTRUMENTS,
    *am4100_bench.INSTRUMENTS,
)
