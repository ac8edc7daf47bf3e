"""Annotations of other programs as markers: ASCII words that every reader of the recording bears."""

from kindle.brainvision import marker_text
from kindle.errors import RecordingError
from kindle.loading import Note


def marker_of(note: Note) -> tuple[str, str]:
    """Type and description; what stands before the first slash is the type."""
    kind, slash, description = note.text.partition("/")
    if not slash or kind in ("", "New Segment"):
        kind, description = "Comment", note.text
    return _marker_word(kind) or "Comment", _marker_word(description)


def _marker_word(text: str) -> str:
    """ASCII without what readers of markers stumble over."""
    bare = " ".join(text.replace("=", "-").replace("\\1", " ").split())
    try:
        return marker_text(bare)
    except RecordingError:
        return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in bare)
