"""What `import watchroute_client` costs."""

import os
import subprocess
import sys

BUDGET_S = 0.150
_TRIES = 7
_HEAVY = ("httpx2", "websockets", "rich", "shared", "services", "cli")


def started(code: str) -> float:
    """The least processor time that a fresh interpreter took for it, in seconds: other processes don't count."""
    took = []
    for _ in range(_TRIES):
        process = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
        _, status, usage = os.wait4(process, 0)
        assert status == 0
        took.append(usage.ru_utime + usage.ru_stime)
    return min(took)


def test_it_is_imported_within_150_ms_of_an_empty_program() -> None:
    floor = started("pass")
    assert started("import watchroute_client") - floor < BUDGET_S


def test_it_loads_no_library_before_a_connection_needs_one() -> None:
    code = f"import sys, watchroute_client; print([name for name in {_HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
