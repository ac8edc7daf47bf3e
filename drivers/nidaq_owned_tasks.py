"""The NI-DAQmx tasks that one program owns on a board, and what an earlier program left there. Used from one thread."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import nidaqmx
from nidaqmx.errors import DaqError, Error

from drivers.interface import LinkLost
from drivers.nidaq_device import plainly
from drivers.nidaq_sessions import clear_left, new_task

LOG = logging.getLogger(__name__)

SLOTS = 3
"""Names of each task at a device server; programs that follow each other use them in turns."""


class OwnedTasks:
    """Tasks by what they do, one of each role at a time; ``link`` is the channel to a device server, if there is one.

    At a device server a task outlives the program that made it, and keeps its part of the board. So every program
    gives its tasks the same names: what one left, the next one finds and clears.
    """

    def __init__(self, device: str, link: Any, where: str) -> None:
        self._device = device
        self._link = link
        self._where = where
        self._slot = 0
        self._tasks: list[tuple[str, Any]] = []
        self._stuck: set[str] = set()
        """Roles whose task could not be cleared, and whose names are therefore taken."""

    def __iter__(self) -> Iterator[Any]:
        return iter([task for _, task in self._tasks])

    def take_over(self, roles: Iterable[str]) -> None:
        """Clear what another program left; then use names that it does not have, in case it still lives."""
        if self._link is None:
            return
        roles, free = tuple(roles), 0
        for self._slot in range(SLOTS):
            for role in roles:
                if self._clear_by_name(role):
                    free = (self._slot + 1) % SLOTS
        self._slot = free

    def new(self, role: str) -> Any:
        """A task that stays until all are dropped. Raises ``LinkLost`` where the last one of this role is stuck."""
        task = self._make(role)
        self._tasks.append((role, task))
        return task

    @contextmanager
    def brief(self, role: str) -> Iterator[Any]:
        """A task for one purpose."""
        task = self._make(role)
        try:
            yield task
        finally:
            self._drop(role, task)

    def drop(self) -> None:
        """Stop and clear all; what cannot even be cleared shows when its pins are driven next."""
        tasks, self._tasks = self._tasks, []
        for role, task in tasks:
            self._drop(role, task)

    def _make(self, role: str) -> Any:
        if self._link is None:
            return nidaqmx.Task()
        if role in self._stuck and not self._clear_by_name(role):
            raise LinkLost(
                f"{self._where}: the {role} task of the last train cannot be cleared; check the board's cable and its "
                "power, then connect again"
            )
        return new_task(self._link, self._name(role))

    def _name(self, role: str) -> str:
        return f"kindle {self._device} {role} {self._slot}"

    def _clear_by_name(self, role: str) -> bool:
        """Whether there was such a task, and is none any more."""
        try:
            if not clear_left(self._link, self._name(role)):
                return False
        except DaqError:
            return False
        self._stuck.discard(role)
        return True

    def _drop(self, role: str, task: Any) -> None:
        try:
            with suppress(DaqError):  # a train that broke off says so when it is stopped
                task.stop()
            task.close()
        except Error as error:
            self._stuck.add(role)
            LOG.warning("%s: clearing a task: %s", self._where, plainly(error))
