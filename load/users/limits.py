"""Open files: every watcher is one."""

import resource


def raise_file_limit() -> int:
    """Take as many as the system lets us, where the usual 1 024 is only a default; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
