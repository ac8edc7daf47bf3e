"""Everything that goes wrong in the safety model, by name; ``SafetyBench.mend`` undoes it."""

from collections.abc import Callable

from benchmarks.reliability.safety_bench import SafetyBench
from drivers.interface import Block
from drivers.simulated.faults import Faults

EEG_ROW, TTL_ROW, MONITOR_ROW = 0, 1, 2
HIGH_COUNTS = 15_604
"""Of the TTL input: 5 V."""


def _on_line(faults: Faults) -> Callable[[SafetyBench], None]:
    return lambda bench: bench.line_fault(faults)


def _altered(alter: Callable[[Block], None]) -> Callable[[SafetyBench], None]:
    def inject(bench: SafetyBench) -> None:
        bench.altered = alter

    return inject


def _ttl_high(block: Block) -> None:
    block[TTL_ROW] = HIGH_COUNTS


def _ttl_low(block: Block) -> None:
    block[TTL_ROW] = 0


def _monitor_off(block: Block) -> None:
    block[MONITOR_ROW] = 0


def _monitor_half(block: Block) -> None:
    block[MONITOR_ROW] //= 2


def _monitor_on(block: Block) -> None:
    block[MONITOR_ROW] = 1000


def _pulled_out(bench: SafetyBench) -> None:
    bench.board_fault()
    bench.stays_away = True
    bench.board.faults.unplug()


def _pulled_out_and_back(bench: SafetyBench) -> None:
    bench.board_fault()
    bench.board.faults.unplug()


def _holds_back(bench: SafetyBench) -> None:
    bench.board_fault()
    bench.board.faults.stop_delivering()


FAULTS: dict[str, Callable[[SafetyBench], None]] = {
    "stimulator silent": _on_line(Faults(silent=True)),
    "stimulator answers garbage": _on_line(Faults(garbage=True)),
    "stimulator takes 3 bytes more": _on_line(Faults(drop_after=3)),
    "stimulator takes 20 bytes more": _on_line(Faults(drop_after=20)),
    "stimulator answers 30 ms late": _on_line(Faults(late_us=30_000)),
    "stimulator unplugged": _on_line(Faults(unplugged=True)),
    "stimulator silent and deaf": _on_line(Faults(silent=True, drop_after=0)),
    "board pulled out": _pulled_out,
    "board pulled out and back": _pulled_out_and_back,
    "board overrun": lambda bench: bench.board.faults.overrun_now(),
    "board holds samples back": _holds_back,
    "TTL stuck high": _altered(_ttl_high),
    "TTL stuck low": _altered(_ttl_low),
    "monitor off": _altered(_monitor_off),
    "monitor shows half the current": _altered(_monitor_half),
    "monitor shows current always": _altered(_monitor_on),
}
