"""Requests and people, counted and seen by several servers on one database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.services.accounts.shared_limits import SharedPresence, SharedRequestCounts
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE


class Clock:
    """A clock that is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@ON_EACH_DATABASE
def test_two_servers_allow_together_what_one_may(store: Store) -> None:
    clock = Clock(6000.0)
    first, second = (SharedRequestCounts(store, 10, clock, b"key") for _ in range(2))
    counted = [server.hit("key a") for server in (first, second) * 5]
    assert [one.n_left for one in counted] == list(range(9, -1, -1))
    assert all(one.is_allowed for one in counted)
    refused = second.hit("key a")
    assert (refused.is_allowed, refused.n_left, refused.reset_s) == (False, 0, 60.0)
    assert first.hit("key b").is_allowed, "each caller by itself"


@pytest.mark.parametrize(("passed_s", "n_allowed"), [(0.0, 0), (30.0, 5), (59.9, 10)])
def test_the_minute_before_counts_by_its_share(store: Store, passed_s: float, n_allowed: int) -> None:
    clock = Clock(6000.0)
    counts = SharedRequestCounts(store, 10, clock, b"key")
    for _ in range(10):
        assert counts.hit("a").is_allowed
    clock.now += 60 + passed_s
    assert sum(counts.hit("a").is_allowed for _ in range(20)) == n_allowed
    clock.now += 600
    assert counts.hit("a").n_left == 9


@ON_EACH_DATABASE
def test_requests_at_the_same_time_are_all_counted(store: Store) -> None:
    servers = [SharedRequestCounts(store, 20, Clock(6000.0), b"key") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        allowed = list(pool.map(lambda n: servers[n % 4].hit("a").is_allowed, range(40)))
    assert sum(allowed) == 20


@ON_EACH_DATABASE
def test_people_are_seen_by_every_server_until_they_leave(store: Store) -> None:
    here, there = (SharedPresence(store, timedelta(seconds=15)) for _ in range(2))
    assert here.at("/film", "1", "Ann") == ()
    assert there.at("/film", "2", "Bob") == ("Ann",)
    assert here.at("/film", "1", "Ann") == ("Bob",)
    assert there.at("/other", "2", "Bob") == ()
    assert here.at("/film", "1", "Ann") == ()
    gone = SharedPresence(store, timedelta(seconds=-1))
    assert gone.at("/other", "1", "Ann") == ()
