"""The script that reloads HAProxy reads what its master says."""

import pytest

from infra.haproxy.reload import Processes

HEAD = "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
RELOADED = f"""{HEAD}26135           master          1 [failed: 0]   0d00h00m06s     2.6.12-1+deb12u4
# workers
26380           worker          0               0d00h00m02s     2.6.12-1+deb12u4
# old workers
26144           worker          1               0d00h00m06s     2.6.12-1+deb12u4
26100           worker          2               0d00h01m06s     2.6.12-1+deb12u4
# programs

"""
STARTED = f"""{HEAD}35              master          0 [failed: 0]   0d00h00m06s     3.2.21
# workers
36              worker          0               0d00h00m06s     3.2.21
# programs

"""
REFUSED = f"""{HEAD}35              master          5 [failed: 1]   0d00h02m31s     3.2.21
# workers
# old workers
119             worker          1               0d00h01m12s     3.2.21
# programs

"""


@pytest.mark.parametrize(
    ("said", "processes"),
    [
        (RELOADED, Processes(failed=0, current=26380, old=(26144, 26100))),
        (STARTED, Processes(failed=0, current=36, old=())),
        (REFUSED, Processes(failed=1, current=None, old=(119,))),
        ("", Processes(failed=0, current=None, old=())),
    ],
)
def test_the_workers_of_now_and_of_before_are_told_apart(said: str, processes: Processes) -> None:
    assert Processes.read(said) == processes
