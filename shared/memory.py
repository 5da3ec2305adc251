"""What the garbage collector and the C library do with memory that is held for good."""

import ctypes
import gc


def hold() -> None:
    """Let the collector pass over everything that is alive now, for ever: a matter of microseconds.

    What becomes garbage later is freed all the same, unless it is in a reference cycle that is alive now.
    """
    gc.freeze()


def give_back() -> None:
    """Give what the C library has free back to the system, where it can (glibc): takes a few milliseconds.

    It would keep tens of megabytes of what a large read needed in passing.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
