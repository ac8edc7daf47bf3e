"""The live recording: write it, read it, recover it after a crash, verify it."""

from kindle.brainvision import Marker
from kindle.problem import Problem
from kindle.recording_reading import Recording, Segment, open_recording
from kindle.recording_recovery import BeingWritten, Cut, NotWritable, Recovered, recover
from kindle.recording_verification import verify
from kindle.recording_writing import RecordingWriter

__all__ = [
    "BeingWritten",
    "Cut",
    "Marker",
    "NotWritable",
    "Problem",
    "Recording",
    "RecordingWriter",
    "Recovered",
    "Segment",
    "open_recording",
    "recover",
    "verify",
]
