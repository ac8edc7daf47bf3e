"""What a session, and a whole study, showed, as pages for people."""

from typing import TYPE_CHECKING

from kindle.report.session_page import write_session_report

if TYPE_CHECKING:
    from kindle.report.study_page import write_joint_report, write_study_report

__all__ = ["write_joint_report", "write_session_report", "write_study_report"]


def __getattr__(name: str) -> object:
    # The statistics load slowly, and a session's page needs none of them.
    if name not in ("write_joint_report", "write_study_report"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kindle.report import study_page

    return getattr(study_page, name)
