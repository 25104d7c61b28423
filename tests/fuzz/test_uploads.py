"""Mutated uploads on the real path: each ends in a stored image or one clear error, and leaves nothing else.

RADIKAL_FUZZ_INPUTS says how many, RADIKAL_FUZZ_FIRST with which number to begin. One of them again:
`RADIKAL_FUZZ_FIRST=4711 RADIKAL_FUZZ_INPUTS=1 pytest tests/fuzz/test_uploads.py`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from core.imaging.uploads import unpack
from tests.fuzz.mutations import upload
from tests.fuzz.seeds import seeds

N_INPUTS = int(os.environ.get("RADIKAL_FUZZ_INPUTS", "500"))
FIRST = int(os.environ.get("RADIKAL_FUZZ_FIRST", "1"))
#: What may be left of the whole run: decoded pictures that are kept, caches of the libraries.
MOST_KEPT_MIB = 300


@pytest.mark.slow
def test_every_mutated_upload_ends_in_a_stored_image_or_one_clear_error(
    tmp_path: Path,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.worker", tmp_path, FIRST, N_INPUTS]
    result = subprocess.run(
        [str(part) for part in command], cwd=repository, capture_output=True, text=True, check=False
    )
    if result.returncode:
        number = (tmp_path / "now").read_text().strip() if (tmp_path / "now").exists() else "the first"
        pytest.fail(f"upload {number} ended the process: {result.returncode}\n{result.stderr[-4000:]}")
    report = json.loads(result.stdout)
    assert report["failures"] == []
    assert report["kept_mib"] < MOST_KEPT_MIB
    assert result.stderr == ""
    assert report["n_uploads"] == N_INPUTS + 1
    for name in ("n_uploads", "outcomes", "seconds", "slowest_s", "peak_growth_mib", "kept_mib"):
        record_property(name, json.dumps(report[name]))
    with capsys.disabled():
        kept = {kind: n for kind, n in report["outcomes"].items() if kind.startswith("stored")}
        n_refused = sum(report["outcomes"].values()) - sum(kept.values())
        print(
            f"\n{N_INPUTS} uploads from number {FIRST}: {kept}, {n_refused} refused; "
            f"{report['seconds']:.0f} s, slowest {report['slowest_s']:.2f} s; "
            f"most memory for one {report['peak_growth_mib']:.0f} MiB, kept {report['kept_mib']:.0f} MiB"
        )


@pytest.mark.parametrize("name", sorted(set(seeds()) - {"big-endian.dcm", "many.zip"}))
def test_every_seed_is_good_before_it_is_mutated(name: str) -> None:
    for file in unpack(seeds()[name], name):
        assert read_radiograph(file.read(), file.name).width == 50


def test_the_same_number_gives_the_same_upload_and_most_are_broken() -> None:
    uploads = [upload(number) for number in range(60)]
    assert uploads == [upload(number) for number in range(60)]
    n_refused = 0
    for name, data in uploads:
        try:
            for file in unpack(data, name):
                read_radiograph(file.read(), file.name)
        except UnreadableImageError:
            n_refused += 1
    assert 20 <= n_refused <= 58
