"""How often a90/95 covers the truth, by simulation of targets of a known curve.

    python -m benchmarks.pod_coverage --repeats 1000 --out benchmarks/pod_coverage.json

Targets lie evenly on the logarithm of their size between 0.15 and 5 mm. A bound that is infinite covers.
"""

import json
import math
from pathlib import Path

import click
import numpy as np

from core.evaluate.pod import estimate_pod
from core.evaluate.pod_models import Link

#: Curves: link, slope on the logarithm of the size, floor, ceiling. a50 of the bare curve is 0.6 mm.
CURVES = [
    (Link.LOGIT, 3.0, 0.0, 1.0),
    (Link.LOGIT, 6.0, 0.0, 1.0),
    (Link.PROBIT, 1.8, 0.0, 1.0),
    (Link.LOGIT, 3.0, 0.0, 0.95),
    (Link.LOGIT, 3.0, 0.05, 1.0),
]
COUNTS = (60, 150, 300)
_A50 = 0.6


def coverage(
    link: Link, slope: float, floor: float, ceiling: float, n: int, repeats: int
) -> dict[str, object]:
    """Shares of repeats whose bound covers a90, and whose bound is infinite."""
    true = _A50 * math.exp(link.inverse((0.9 - floor) / (ceiling - floor)) / slope)
    covered = infinite = 0
    for repeat in range(repeats):
        rng = np.random.default_rng((n, repeat))
        sizes = np.exp(rng.uniform(math.log(0.15), math.log(5), n))
        p = floor + (ceiling - floor) * link.rises(slope * np.log(sizes / _A50))
        found = estimate_pod(sizes, rng.random(n) < p, has_curve=False)
        infinite += not found.reason and found.a90_95 is None
        covered += not found.reason and (found.a90_95 is None or found.a90_95 >= true)
    curve = {"link": link.value, "slope": slope, "floor": floor, "ceiling": ceiling}
    return curve | {"n": n, "covered": covered / repeats, "infinite": infinite / repeats}


@click.command()
@click.option("--repeats", default=1000, show_default=True, help="Of each curve and number of targets.")
@click.option("--count", "counts", type=int, multiple=True, default=COUNTS, help="Targets of a repeat.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file.")
def main(repeats: int, counts: tuple[int, ...], out: Path) -> None:
    """Measure and write."""
    rows = []
    for n in counts:
        for curve in CURVES:
            rows.append(coverage(*curve, n, repeats))
            click.echo(json.dumps(rows[-1]))
            out.write_text(json.dumps({"repeats": repeats, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
