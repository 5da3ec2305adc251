"""The push server's settings: the `[pushserver]` table."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.cursor import MAX_SCOPES
from shared.settings import RootSettings


class PushServerSettings(BaseModel):
    """The `[pushserver]` table: `WATCHROUTE_PUSHSERVER_*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="The address that readers reach.")
    port: int = Field(8081, ge=0, le=65535, description="0: any free port.")
    admin_host: str = Field("127.0.0.1", description="The address of `/livez`, `/readyz`, `/metrics`.")
    admin_port: int = Field(9081, ge=0, le=65535, description="0: any free port.")
    producer_url: str | None = Field(
        None, description="Where the WebSocket operation `publish` is sent; none: refused."
    )
    bookmark_interval_s: float = Field(15, ge=0.1, le=600, description="Between two bookmarks of a connection, ±20 %.")
    sse_retry_ms: int = Field(2000, ge=0, description="What event streams tell browsers to wait before reconnecting.")
    catch_up_s: float = Field(3, gt=0, le=60, description="How long a request waits for this server to reach a cursor.")
    poll_wait_s: float = Field(25, ge=0, le=60, description="How long a long poll waits that doesn't say.")
    poll_max_bytes: int = Field(16_777_216, ge=1024, description="A poll with more to tell is refused.")
    mailbox_bytes: int = Field(8_388_608, ge=1024, description="What may wait for one reader that can't keep up.")
    stalled_s: float = Field(300, gt=0, description="A reader that took no byte for so long is closed.")
    unsent_bytes: int = Field(16_384, ge=1024, description="`TCP_NOTSENT_LOWAT`: what the kernel holds unsent.")
    dead_peer_s: float = Field(
        30, gt=0, description="A peer that acknowledges nothing (`TCP_USER_TIMEOUT`), or answers no ping, is gone."
    )
    websocket_ping: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Ping WebSocket clients with each bookmark; auto: only where there is no `TCP_USER_TIMEOUT`.",
    )
    max_watches: int = Field(1000, ge=1, le=MAX_SCOPES, description="Watches of one connection.")
    max_message_bytes: int = Field(1_048_576, ge=1024, description="A WebSocket message from a client.")
    page_size: int = Field(100, ge=1, le=10_000, description="Resources on a page of a listing that doesn't say.")
    keep_alive_s: float = Field(75, gt=0, description="How long an idle HTTP connection is kept.")
    head_timeout_s: float = Field(10, gt=0, description="How long the head of a request may take to arrive.")
    max_head_bytes: int = Field(32_768, ge=1024, description="The head of a request; longer is 431.")
    max_unanswered: int = Field(
        8000, ge=1, description="Connections of which no request has been admitted yet; one more is 503 at once."
    )
    drain_wait_s: float = Field(
        0, ge=0, description="How long it serves on when it stops, for balancers to find out that it isn't ready."
    )
    drain_s: float = Field(5, ge=0, description="Over which connections are sent away then, at an even rate.")
    reconnect_ms: int = Field(2000, ge=0, description="Who is sent away comes back within so long, at random.")
    overlap_ms: int = Field(
        2000, ge=0, le=600_000, description="Its old connection goes on for so long after that; 0: it ends at once."
    )
    max_connections: int = Field(20_000, ge=1, description="Watchers beyond so many are refused.")
    max_polls: int = Field(10_000, ge=1, description="Long polls held at once; they count as watchers too.")
    max_connections_per_principal: int = Field(1000, ge=0, description="Watchers of one `sub`; 0: no limit.")
    max_watches_per_principal: int = Field(
        10_000, ge=0, description="Watches of one `sub`, over all its connections; 0: no limit."
    )
    max_connections_per_address: int = Field(
        0, ge=0, description="Watchers of one address (IPv6: one /64); 0: no limit, the front door has its own."
    )
    handshakes_per_s: float = Field(
        0, ge=0, description="Watchers that one address may open in a second, ten times that at once; 0: no limit."
    )
    operations_per_s: float = Field(
        100, ge=0, description="Messages and pings of one WebSocket in a second, beyond the first; 0: no limit."
    )
    operations_burst: int = Field(
        2000, ge=1, description="Messages and pings of one WebSocket at once; what is beyond is refused, then cut."
    )
    mean_age_s: float = Field(
        0, ge=0, description="Connections are sent away at random, after so long on average, to spread anew; 0: never."
    )
    level_s: float = Field(
        30,
        ge=0,
        description="In which time watchers beyond this server's share, as HAProxy tells it, are sent away; 0: never.",
    )
    identity_check_s: float = Field(10, gt=0, description="How soon a grown or re-created topic is noticed.")
    watchdog_s: float = Field(30, gt=1, description="The consumer is rebuilt when no fetch succeeded for so long.")
    max_held_bytes: int = Field(0, ge=0, description="The server isn't ready when its tables hold more; 0: no limit.")


class Settings(RootSettings):
    """All that a push server reads."""

    pushserver: PushServerSettings = PushServerSettings()
