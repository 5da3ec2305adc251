"""The health check of an image: exits with 0 when the process at the port of the command line says that it lives.

    livez.py PORT [PATH]

It is a file of its own, and imports nothing of ours, because it is started every few seconds.
"""

import http.client
import sys
from typing import Final

TIMEOUT_S: Final = 3.0


def lives(port: int, path: str = "/livez") -> bool:
    """Whether a GET at this port of the loopback is answered with 200; no proxy of the environment is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if lives(int(sys.argv[1]), *sys.argv[2:]) else 1)
