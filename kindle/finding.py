"""What a check of the installation or of a rig found: one item, one verdict, one sentence that says what to do."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing needs to be done for what works without it."""
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    item: str
    outcome: Outcome
    text: str


def ok(item: str, text: str) -> Finding:
    return Finding(item, Outcome.OK, text)


def note(item: str, text: str) -> Finding:
    return Finding(item, Outcome.NOTE, text)


def failed(item: str, text: str) -> Finding:
    return Finding(item, Outcome.FAILED, text)
