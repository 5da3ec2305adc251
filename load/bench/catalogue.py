"""All scenarios, in the order in which they are run."""

from collections.abc import Mapping
from typing import Final

from load.bench.scenario import Scenario
from load.bench.scenarios.boot import Boot
from load.bench.scenarios.burst import Burst, StateBurst
from load.bench.scenarios.collection import Collection
from load.bench.scenarios.connect import Connect
from load.bench.scenarios.egress import Egress
from load.bench.scenarios.idle import Idle
from load.bench.scenarios.ingest import Ingest
from load.bench.scenarios.mixed import Mixed
from load.bench.scenarios.paced import Paced
from load.bench.scenarios.pauses import Pauses
from load.bench.scenarios.peers import Peers
from load.bench.scenarios.put import Put
from load.bench.scenarios.quiet import Quiet
from load.bench.scenarios.resume import Resume
from load.bench.scenarios.servers import Servers
from load.bench.scenarios.snapshot import Snapshot
from load.bench.scenarios.wide import Wide

_ALL: Final = (
    Paced("ws"),
    Paced("sse"),
    Put(),
    Burst("log"),
    StateBurst("state"),
    Wide(),
    Collection(),
    Mixed(),
    Idle(),
    Connect("ws"),
    Connect("sse"),
    Resume(),
    Snapshot(),
    Boot(),
    Ingest(),
    Egress(),
    Quiet(),
    Pauses(),
    Servers(),
    Peers(),
)
SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
