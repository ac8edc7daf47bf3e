"""What can go wrong above the instruments; every message is one sentence that says what to do."""


class KindleError(Exception):
    """Shown to the person as it is; exit code 1."""


class ConfigError(KindleError):
    """A file or a setting is missing, malformed or contradictory."""


class UnsafeStimulus(KindleError):
    """A train breaks a limit or an interlock; nothing was delivered."""


class JournalMismatch(KindleError):
    """The journal does not say what the program or its hash chain expects."""


class RecordingError(KindleError):
    """A recording cannot be written, read or recovered."""
