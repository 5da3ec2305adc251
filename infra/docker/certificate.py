"""Makes the front door's certificate, self-signed for localhost, at the path of the command line; its key is beside it.

One that is good for a week more stays: it is trusted where somebody took it from, and every `docker compose up` starts
this anew.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

_WEEK_S: Final = 7 * 24 * 3600
_MAKE: Final = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "365"),
    *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"),
)


def is_good(certificate: Path) -> bool:
    """Whether it is there, with its key, and doesn't end within a week."""
    asked = ("openssl", "x509", "-checkend", str(_WEEK_S), "-noout", "-in", str(certificate))
    return key_of(certificate).exists() and subprocess.run(asked, check=False, capture_output=True).returncode == 0


def key_of(certificate: Path) -> Path:
    """Where HAProxy looks for the key of a certificate that has none in it."""
    return certificate.with_name(f"{certificate.name}.key")


def make(certificate: Path) -> None:
    """Unless there is a good one."""
    if not is_good(certificate):
        subprocess.run([*_MAKE, "-keyout", str(key_of(certificate)), "-out", str(certificate)], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
