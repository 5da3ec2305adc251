"""The health check of an image: exits with 0 when the process at the port of the command line says that it lives.

It is a file of its own, and imports nothing of ours, because it is started every few seconds.
"""

import http.client
import sys
from typing import Final

TIMEOUT_S: Final = 3.0


def lives(port: int) -> bool:
    """Whether `/livez` at this port of the loopback answers 200; no proxy of the environment is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if lives(int(sys.argv[1])) else 1)
