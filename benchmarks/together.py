"""Several processes that share one limit, each with users of its own."""

from __future__ import annotations

import concurrent.futures
import dataclasses

from .measure import Measured
from .runner import Bench
from .service import Tenant, Traffic

PROCESSES = 3


@dataclasses.dataclass(frozen=True)
class Together:
    """What came of it.

    :param seconds: of each process, in the order of their users.
    """

    users_each: int
    seconds: list[float]
    finished: bool
    graph: int
    throttled: int
    users_written: int
    users_written_twice: int
    users_changed: int

    @property
    def right(self) -> bool:
        """Everybody through, everybody written to, nobody twice."""
        wanted = self.users_each * len(self.seconds)
        return self.finished and self.users_changed == self.users_written == wanted and not self.users_written_twice


def measure(bench: Bench, users_each: int) -> Together:
    """Start all processes at once, with the limit on."""
    with Tenant(bench.facts, users_each * PROCESSES, limited=True) as tenant:

        def play(number: int) -> Measured:
            users = tenant.users[number * users_each : (number + 1) * users_each]
            return bench.play("risky_user", {"bench_users": users}, tenant, watch_memory=False)

        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            runs = list(pool.map(play, range(PROCESSES)))
        traffic: Traffic = tenant.take_traffic()
        states = tenant.states()
    return Together(
        users_each=users_each,
        seconds=[run.seconds for run in runs],
        finished=all(run.code == 0 for run in runs),
        graph=traffic.graph,
        throttled=traffic.throttled,
        users_written=len(traffic.written),
        users_written_twice=sum(times > 1 for times in traffic.written.values()),
        users_changed=sum(state == "dismissed" for state in states.values()),
    )
