"""Run a producer service: `python -m services.producer`."""

import sys

from services.producer.app import serve
from services.producer.settings import Settings
from shared.process import run_service

if __name__ == "__main__":
    sys.exit(run_service(Settings, serve))
