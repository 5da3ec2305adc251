"""The producer's settings: the `[producer]` table."""

from pydantic import BaseModel, ConfigDict, Field

from shared.resource import MAX_ID_BYTES
from shared.settings import RootSettings
from shared.value import MAX_DEPTH


class ProducerSettings(BaseModel):
    """The `[producer]` table: `WATCHROUTE_PRODUCER_*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="The address that writers reach.")
    port: int = Field(8082, ge=0, le=65535, description="0: any free port.")
    admin_host: str = Field("127.0.0.1", description="The address of `/livez`, `/readyz`, `/metrics`.")
    admin_port: int = Field(9082, ge=0, le=65535, description="0: any free port.")
    ack_timeout_s: float = Field(
        10, ge=1, le=300, description="A write that Kafka has not acknowledged by then is answered with 503."
    )
    max_in_flight: int = Field(10_000, ge=1, description="Writes that wait for Kafka at once; one more is 503 at once.")
    max_in_flight_bytes: int = Field(
        67_108_864, ge=1024, description="Their bytes; a batch larger than this can't be written."
    )
    max_body_bytes: int = Field(8_388_608, ge=1024, description="The body of a request; larger is 413.")
    max_buffered_bytes: int = Field(
        268_435_456, ge=1024, description="Bodies held at once, over all requests; more is 429."
    )
    body_timeout_s: float = Field(30, gt=0, description="How long a body may take to arrive.")
    max_batch: int = Field(1000, ge=1, description="Items of one POST; more is 413.")
    max_id_bytes: int = Field(MAX_ID_BYTES, ge=1, le=MAX_ID_BYTES, description="An id longer than this is 400.")
    max_depth: int = Field(MAX_DEPTH, ge=1, le=MAX_DEPTH, description="Data nested deeper than this is 422.")
    writes_per_s_per_principal: float = Field(
        1000, ge=0, description="Writes of one `sub` in a second, twice that at once; 0: no limit."
    )
    bytes_per_s_per_principal: float = Field(
        16_777_216, ge=0, description="Bytes of bodies of one `sub` in a second, twice that at once; 0: no limit."
    )
    identity_check_s: float = Field(
        5, gt=0, description="How soon a grown or re-created topic is noticed, and that Kafka doesn't answer."
    )
    create_topics: bool = Field(
        default=False, description="Let the broker make missing topics its own way: for the embedded broker only."
    )
    keep_alive_s: float = Field(75, gt=0, description="How long an idle HTTP connection is kept.")
    head_timeout_s: float = Field(10, gt=0, description="How long the head of a request may take to arrive.")
    max_head_bytes: int = Field(32_768, ge=1024, description="The head of a request; longer is 431.")
    max_unanswered: int = Field(
        8000, ge=1, description="Connections of which no request has been admitted yet; one more is 503 at once."
    )
    drain_s: float = Field(15, ge=0, description="How long requests under way may take when the service stops.")


class Settings(RootSettings):
    """All that a producer service reads."""

    producer: ProducerSettings = ProducerSettings()
