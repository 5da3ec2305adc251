"""What `import watchroute_client` costs."""

import subprocess
import sys
import time

BUDGET_S = 0.150
_TRIES = 7
_HEAVY = ("httpx2", "websockets", "rich", "shared", "services", "cli")


def started(code: str) -> float:
    """The least that a fresh interpreter took for it, in seconds."""
    took = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(time.perf_counter() - began)
    return min(took)


def test_it_is_imported_within_150_ms_of_an_empty_program() -> None:
    floor = started("pass")
    assert started("import watchroute_client") - floor < BUDGET_S


def test_it_loads_no_library_before_a_connection_needs_one() -> None:
    code = f"import sys, watchroute_client; print([name for name in {_HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
