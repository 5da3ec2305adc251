"""Run a push server: `python -m services.pushserver`."""

import sys

from services.pushserver.app import serve
from services.pushserver.settings import Settings
from shared.process import run_service

if __name__ == "__main__":
    sys.exit(run_service(Settings, serve))
