"""The review window: any session or recording looked at again, judged again, corrected, drawn for a paper."""
