"""A recording judged again by another criterion: in a process of its own, heard while it goes on, stopped at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, wait
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from drivers.interface import DriverError
from kindle.criteria import criterion_from
from kindle.errors import KindleError
from kindle.gui.review.reading import Reading, reading_of
from kindle.presets import threshold_presets
from kindle.reanalysis import Asked, judge, parts, plan, together
from kindle.spreading import Heard, Stopped, processes
from kindle.stimulus_spec import StimulusSpec
from kindle.study import StudyConfig

POLL_S = 0.05
Executors = Callable[[int, Heard], AbstractContextManager[Executor]]


def choices() -> tuple[str, ...]:
    """Presets whose criterion can be asked for; the one that a new study has comes first."""
    usual = StudyConfig(name="").preset
    return (usual, *(preset for preset in threshold_presets() if preset != usual))


class Rejudging:
    """``reading`` once it is done, or ``error`` in one sentence; ``share`` from 0 to 1 until then."""

    def __init__(
        self, path: Path, preset: str, stimulus: StimulusSpec | None = None, *, executors: Executors = processes
    ) -> None:
        self.preset = preset
        self.share = 0.0
        self.reading: Reading | None = None
        self.error = ""
        self._stimulus = stimulus
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(path, executors), name="judging", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Returns at once; the process ends soon after."""
        self._cancelled.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self, path: Path, executors: Executors) -> None:
        try:
            self.reading = self._judged(path, executors)
        except Stopped:
            self._cancelled.set()
        except (KindleError, DriverError, OSError) as error:
            self.error = str(error)
        except Exception as error:  # a thread has nobody else to tell
            self.error = f"{path} could not be judged ({type(error).__name__}: {error}): report this with the file"

    def _judged(self, path: Path, executors: Executors) -> Reading:
        asked = Asked(criterion_from(self.preset, None), stimulus=self._stimulus)
        with executors(1, self._heard) as executor:
            planned = self._outcome(executor.submit(plan, path, asked))
            judged = [self._outcome(executor.submit(judge, part)) for part in parts(planned, 1)]
        return reading_of(together(planned, judged), self.preset)

    def _outcome(self, future: Any) -> Any:
        while not wait([future], POLL_S).done:
            self._stop_if_cancelled()
        self._stop_if_cancelled()
        return future.result()

    def _heard(self, key: object, share: float) -> None:
        self.share = share

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Stopped("the analysis was stopped")
