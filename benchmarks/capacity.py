"""How much work a plant makes, and what it takes: a model on measured points, and a simulated cluster.

    python -m benchmarks.measure_capacity                         # measures benchmarks/capacity.json
    python -m benchmarks.capacity --images-per-hour 20 --core-hour 0.04 --gb-month 0.02

Everything it knows of the program stands in `capacity.json` and `history.json` here, with machine and date.
What people do in an hour and what machines cost are the operator's, given as options.
"""

import argparse
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).parent
MEASURED = HERE / "capacity.json"
#: Work below this share of the cores leaves room for bursts; `simulated` says what more costs in waiting.
BUSY_SHARE = 0.6
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds of each act, of one core of the measured machine; storage in bytes.

    Attributes:
        image: one image handed in, read by the network, assessed and recorded.
        network: of that, the network's: what a cluster takes off a server.
        page: one page drawn.
        lookup: one list or record fetched.
        box_map: one map of a box.
        row_bytes: of the database for one inspection.
        memory_mib: of the server with three versions in memory.
    """

    image: float
    network: float
    page: float
    lookup: float
    box_map: float
    row_bytes: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Habits:
    """What one person does in an hour of work."""

    images: float
    pages_an_image: float = 2.0
    maps_an_image: float = 3.0
    lookups_an_image: float = 1.0


def measured_costs(folder: Path = HERE) -> Costs:
    """The costs in the measured files."""
    found, history = _read(folder / "capacity.json")["server"], _read(folder / "history.json")
    return Costs(
        image=found["image"]["processor_s"],
        network=found["network"]["processor_s"],
        page=found["page"]["processor_s"],
        lookup=found["lookup"]["processor_s"],
        box_map=found["box_map"]["processor_s"],
        row_bytes=history["database_mb"] * 1e6 / history["n_inspections"],
        memory_mib=found["memory_mib"],
    )


def seconds_an_hour(costs: Costs, habits: Habits) -> float:
    """Processor seconds that one person's hour takes."""
    an_image = (
        costs.image
        + habits.pages_an_image * costs.page
        + habits.maps_an_image * costs.box_map
        + habits.lookups_an_image * costs.lookup
    )
    return habits.images * an_image


def users_a_core(costs: Costs, habits: Habits) -> float:
    """People that one core carries when it is busy for `BUSY_SHARE` of the time."""
    return BUSY_SHARE * 3600 / seconds_an_hour(costs, habits)


def storage_gib(costs: Costs, n_inspections: int, original_mb: float, *, copies: int = 1) -> float:
    """GiB of so many inspections: originals, their backups and rows of the database."""
    return n_inspections * (1 + copies) * (original_mb * 1e6 + costs.row_bytes) / _GIB


def cost_of_1000_images(
    costs: Costs, *, core_hour: float, gb_month: float, months: float, original_mb: float, copies: int = 1
) -> float:
    """Price of 1,000 images in the operator's currency: processors, and storage for as long as it is kept.

    1000 (image / 3600 / BUSY_SHARE core_hour + (1 + copies) GB gb_month months)
    """
    stored_gb = (1 + copies) * (original_mb / 1000 + costs.row_bytes / 1e9)
    return 1000 * (costs.image / 3600 / BUSY_SHARE * core_hour + stored_gb * gb_month * months)


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """A simulated cluster.

    Attributes:
        waits_s: (N,) from arrival to the start of reading.
        answers_s: (N,) from arrival to the answer.
        busy_share: of the replicas.
    """

    waits_s: npt.NDArray[np.float64]
    answers_s: npt.NDArray[np.float64]
    busy_share: float


def simulated(
    services_s: Sequence[float],
    *,
    per_second: float,
    replicas: int,
    n_images: int,
    seed: int,
    is_routed: bool = False,
    overhead_s: float = 0.0,
) -> Simulated:
    """A queue of images for replicas, first come, first served. A simulation, not a measurement.

    Images come independently of each other (a Poisson process); how long each takes is drawn from what was
    measured. Nothing is shared: no core, disk or network that slows several replicas down together.

    Args:
        services_s: measured times of one image on one replica.
        per_second: images that come.
        replicas: that read.
        n_images: how many come.
        seed: of the draws.
        is_routed: each image goes at once to the less busy of two replicas drawn by chance, and waits
            there, as Ray Serve routes; otherwise it waits for the one that is free first.
        overhead_s: of each answer, on its way there and back.
    """
    rng = np.random.default_rng(seed)
    return queued(
        np.cumsum(rng.exponential(1 / per_second, n_images)),
        rng.choice(np.asarray(services_s, np.float64), n_images),
        replicas=replicas,
        seed=seed,
        is_routed=is_routed,
        overhead_s=overhead_s,
    )


def queued(
    arrivals_s: npt.NDArray[np.float64],
    services_s: npt.NDArray[np.float64],
    *,
    replicas: int,
    seed: int,
    is_routed: bool = False,
    overhead_s: float = 0.0,
) -> Simulated:
    """What becomes of images that come at these moments and take so long, as `simulated` has them wait.

    Args:
        arrivals_s: (N,) ascending.
        services_s: (N,) of each on a replica.
        replicas: that read.
        seed: of the draws of the router.
        is_routed: see `simulated`.
        overhead_s: see `simulated`.
    """
    rng, n_images = np.random.default_rng([seed, 1]), len(arrivals_s)
    drawn = np.stack([rng.permutation(replicas)[:2] for _ in range(n_images)]) if is_routed else None
    ends = [deque([0.0]) for _ in range(replicas)]  # of what each replica has or will have
    waits = np.zeros(n_images)
    for number, (arrived, service) in enumerate(zip(arrivals_s.tolist(), services_s.tolist(), strict=True)):
        if drawn is None:
            taken = min(ends, key=lambda one: one[-1])
        else:
            near = [ends[index] for index in drawn[number]]
            for one in near:
                while len(one) > 1 and one[0] <= arrived:
                    one.popleft()
            taken = min(near, key=lambda one: len(one) - (one[-1] <= arrived))
        start = max(arrived, taken[-1])
        taken.append(start + service)
        if drawn is None:
            taken.popleft()
        waits[number] = start - arrived
    span = max(max(one[-1] for one in ends), float(arrivals_s[-1]))
    return Simulated(waits, waits + services_s + overhead_s, float(services_s.sum()) / (replicas * span))


def table_of_replicas(
    services_s: Sequence[float], *, replicas: Sequence[int], busy_shares: Sequence[float], overhead_s: float
) -> list[dict[str, float]]:
    """What people wait, simulated, for each number of replicas and each share of the time that they read."""
    mean = float(np.mean(services_s))
    rows = []
    for count in replicas:
        for share in busy_shares:
            rate = share * count / mean
            found = simulated(
                services_s,
                per_second=rate,
                replicas=count,
                n_images=40_000,
                seed=1,
                is_routed=True,
                overhead_s=overhead_s,
            )
            rows.append(
                {
                    "replicas": count,
                    "busy_share": share,
                    "images_an_hour": 3600 * rate,
                    "median_s": float(np.median(found.answers_s)),
                    "p95_s": float(np.quantile(found.answers_s, 0.95)),
                }
            )
    return rows


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Print the model for the operator's figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images-per-hour", type=float, default=20, help="that one person looks at")
    parser.add_argument(
        "--original-mb", type=float, default=1.95, help="size of a radiograph; 39 films of GDXray have 1.95"
    )
    parser.add_argument("--copies", type=int, default=1, help="backups of everything")
    parser.add_argument("--months", type=float, default=120, help="that originals are kept")
    parser.add_argument("--core-hour", type=float, default=0.0, help="price of a core for an hour")
    parser.add_argument("--gb-month", type=float, default=0.0, help="price of a GB stored for a month")
    asked = parser.parse_args()
    costs, found = measured_costs(), _read(MEASURED)
    habits = Habits(asked.images_per_hour)
    machine = found["machine"]
    print(f"measured {found['server']['measured']}, {machine['processor']}, {machine['cores']} cores")
    print(f"  processor seconds: image {costs.image:.2f}, page {costs.page:.2f}, map {costs.box_map:.2f}, "
          f"look-up {costs.lookup:.3f}")  # fmt: skip
    people, spent = users_a_core(costs, habits), seconds_an_hour(costs, habits)
    print(f"one person, {asked.images_per_hour:g} images an hour: {spent:.0f} processor seconds an hour; "
          f"{people:.0f} people a core at {BUSY_SHARE:.0%}")  # fmt: skip
    print(f"images alone: {BUSY_SHARE * 3600 / costs.image:.0f} an hour and core; with networks elsewhere "
          f"{BUSY_SHARE * 3600 / (costs.image - costs.network):.0f} an hour and core of the server, "
          f"{BUSY_SHARE * 3600 / costs.network:.0f} an hour and core that reads")  # fmt: skip
    print("images on a GPU: not measured")
    gib = storage_gib(costs, 100_000, asked.original_mb, copies=asked.copies)
    print(f"100,000 inspections of {asked.original_mb:g} MB, {asked.copies} copies: {gib:.0f} GiB, of them "
          f"{storage_gib(costs, 100_000, 0.0, copies=asked.copies):.2f} GiB rows")  # fmt: skip
    price = cost_of_1000_images(
        costs, core_hour=asked.core_hour, gb_month=asked.gb_month, months=asked.months,
        original_mb=asked.original_mb, copies=asked.copies,
    )  # fmt: skip
    print(f"1,000 images at your prices, kept {asked.months:g} months: {price:.2f}")
    if "cluster" in found:
        cluster = found["cluster"]
        print("a simulated cluster (Poisson arrivals, measured times, nothing shared):")
        for row in table_of_replicas(
            cluster["services_s"],
            replicas=(1, 2, 8, 32),
            busy_shares=(0.5, 0.7, 0.9),
            overhead_s=cluster["overhead_s"],
        ):
            print(f"  {row['replicas']:3.0f} replicas, busy {row['busy_share']:.0%}: "
                  f"{row['images_an_hour']:7.0f} images an hour, median {row['median_s']:.2f} s, "
                  f"95 % within {row['p95_s']:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
