"""A site whose images only their figures tell apart, and the version that reads them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.domain.accounts import Identity
from core.domain.records import Inspection
from core.services.monitoring.drift import DriftService
from core.services.workspaces import Workspace
from core.store.monitoring import Observation
from tests.records import START, detection_result, radiograph, store_image

#: Images of the reference and of a window; small, so that tests are fast.
REFERENCE, WINDOW = 40, 20


class Site:
    """Lets a version read images of a site, one after the other."""

    def __init__(self, desk: Workspace, inspector: Identity) -> None:
        self.drift = DriftService(desk.store, desk.images, None, size=(REFERENCE, WINDOW))  # type: ignore[arg-type]  # nothing is detected
        self.inspection = desk.inspections.record(inspector, detection_result())
        self.store = desk.store
        self._rng = np.random.default_rng(4)
        self._n = 0

    def read(self, count: int, *, noise: float = 1.0, part: str = "") -> None:
        """Read `count` more images."""
        for _ in range(count):
            self._n += 1
            film = replace(radiograph(), sha256=f"{self._n:064x}", file_sha256=f"{self._n:064x}")
            store_image(self.store, film)
            figures = {"noise": noise * float(np.exp(self._rng.normal(0, 0.1))), "polarity": 1.0}
            observed = Observation(
                self.inspection.model.sha256,
                film.sha256,
                self.inspection.inspection_id,
                START + timedelta(minutes=self._n),
                "",
                part,
                figures,
                self._rng.normal(size=6).astype(np.float32),
            )
            self.drift.keep(self.inspection, observed)

    def read_at(self, minute: int, part: str = "") -> Inspection:
        """An inspection made after so many minutes."""
        setup = {"part": part} if part else {}
        return replace(self.inspection, created_at=START + timedelta(minutes=minute), setup=setup)


@pytest.fixture
def site(desk: Workspace, inspector: Identity) -> Site:
    """Nothing was read yet."""
    return Site(desk, inspector)
