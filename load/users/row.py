"""The rows of locust's report."""

from locust.env import Environment


def count(
    environment: Environment, what: str, who: str, took_ms: float, size: int = 0, exception: Exception | None = None
) -> None:
    """Count something that happened to somebody in its row; as a failure, if there is an exception."""
    environment.events.request.fire(
        request_type=what, name=who, response_time=took_ms, response_length=size, exception=exception, context={}
    )
