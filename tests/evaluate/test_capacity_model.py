"""The capacity model: its simulated queue against what queueing theory knows, and its arithmetic."""

import math

import numpy as np
import pytest

from benchmarks.capacity import (
    BUSY_SHARE,
    Costs,
    Habits,
    cost_of_1000_images,
    measured_costs,
    simulated,
    storage_gib,
    users_a_core,
)

COSTS = Costs(
    image=1.0, network=0.7, page=0.1, lookup=0.05, box_map=0.5, row_bytes=3_000.0, memory_mib=1_500.0
)


def erlang_c_wait_s(rate: float, mean_s: float, replicas: int) -> float:
    """Mean wait of an M/M/c queue."""
    load = rate * mean_s
    terms = [load**k / math.factorial(k) for k in range(replicas)]
    last = load**replicas / math.factorial(replicas) * replicas / (replicas - load)
    waits = last / (sum(terms) + last)
    return waits * mean_s / (replicas - load)


@pytest.mark.parametrize("replicas", [1, 2, 8])
def test_waits_are_those_of_the_formula_for_exponential_times(replicas: int) -> None:
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    services = -np.log1p(-quantiles)
    rate = 0.7 * replicas
    found = simulated(services, per_second=rate, replicas=replicas, n_images=200_000, seed=3)
    assert found.waits_s.mean() == pytest.approx(erlang_c_wait_s(rate, 1.0, replicas), rel=0.08)
    assert found.busy_share == pytest.approx(0.7, rel=0.02)


def test_waits_of_equal_times_are_half_of_those_of_exponential_ones() -> None:
    found = simulated([1.0], per_second=0.7, replicas=1, n_images=200_000, seed=4)
    assert found.waits_s.mean() == pytest.approx(0.7 / (2 * 0.3), rel=0.05)


def test_a_router_that_knows_two_replicas_waits_longer_than_one_queue_and_shorter_than_chance() -> None:
    given = {"per_second": 0.8 * 4, "replicas": 4, "n_images": 50_000, "seed": 5}
    one_queue = simulated([1.0], **given).waits_s.mean()
    routed = simulated([1.0], **given, is_routed=True).waits_s.mean()
    by_chance = 0.8 / (2 * 0.2)  # four queues of their own
    assert one_queue < routed < 0.6 * by_chance


def test_one_replica_waits_alike_however_images_get_there() -> None:
    given = {"per_second": 0.7, "replicas": 1, "n_images": 5_000, "seed": 6}
    waits = [simulated([0.5, 1.5], **given, is_routed=way).waits_s for way in (False, True)]
    np.testing.assert_allclose(waits[0], waits[1])


def test_people_a_core_storage_and_price_are_the_sums_that_the_page_gives() -> None:
    habits = Habits(images=10.0, pages_an_image=2.0, maps_an_image=3.0, lookups_an_image=1.0)
    an_image = 1.0 + 2 * 0.1 + 3 * 0.5 + 0.05
    assert users_a_core(COSTS, habits) == pytest.approx(BUSY_SHARE * 3600 / (10 * an_image))
    assert storage_gib(COSTS, 100_000, 4.0, copies=1) == pytest.approx(2 * 100_000 * 4_003_000 / 1024**3)
    price = cost_of_1000_images(COSTS, core_hour=0.36, gb_month=0.02, months=10.0, original_mb=4.0, copies=0)
    assert price == pytest.approx(1000 * (1 / 3600 / BUSY_SHARE * 0.36 + 4_003_000 / 1e9 * 0.02 * 10))


def test_the_measured_files_hold_what_the_model_needs() -> None:
    found = measured_costs()
    assert 0 < found.lookup < found.image
    assert 0 < found.network < found.image
    assert found.memory_mib > 100
