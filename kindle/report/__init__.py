"""What a session showed, as a page for people."""

from kindle.report.session_page import write_session_report

__all__ = ["write_session_report"]
