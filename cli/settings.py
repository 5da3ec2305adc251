"""All settings at once: what a process reads that is both services, and what the configuration's tools check."""

from services.producer.settings import ProducerSettings
from services.pushserver.settings import PushServerSettings
from shared.settings import RootSettings


class AllSettings(RootSettings):
    """Every table of `watchroute.toml`."""

    producer: ProducerSettings = ProducerSettings()
    pushserver: PushServerSettings = PushServerSettings()
