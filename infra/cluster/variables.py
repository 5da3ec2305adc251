"""The environment of a process that is configured by variables."""

import os
from collections.abc import Mapping


def configured(variables: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would configure a service, but for these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
    return {**inherited, **variables}
