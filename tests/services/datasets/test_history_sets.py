"""Evaluation sets of signed inspections: what counts as recorded, what is left out, and who is told."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError, NotAllowedError
from core.domain.radiograph import Polarity
from core.domain.reading import Call, DismissalKind
from core.domain.records import Disposition
from core.imaging.read import read_radiograph
from core.services.datasets.set_making import SetFilter, SetMaker
from core.services.datasets.signed_truth import RETURNED, UNASSESSED, UNSIGNED, HistoryBounds
from core.services.evaluation.evaluation_sets import EvaluationSets
from core.services.inspections.inspecting import Decision
from core.services.workspaces import Workspace
from core.store.blobs import BlobStore
from core.store.record_tables import InspectionRow
from core.store.unit_of_work import Store
from tests.records import MINE, PASSWORD, add_user, detection_result
from tests.services.learning import noise

ALL = SetFilter(), HistoryBounds()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "originals")


@pytest.fixture
def maker(store: Store, blobs: BlobStore, tmp_path: Path) -> SetMaker:
    return SetMaker(store, blobs, EvaluationSets(store, tmp_path / "sets"), tmp_path / "sets" / "images")


@pytest.fixture
def engineer(store: Store) -> Identity:
    return add_user(store, Role.ML_ENGINEER)


class History:
    """Images that were read here, and what an inspector said of them."""

    def __init__(self, store: Store, blobs: BlobStore, desk: Workspace, inspector: Identity) -> None:
        self._store, self._blobs, self._desk, self._who = store, blobs, desk, inspector
        self._seed = 0

    def read(self, n: int = 2) -> str:
        """The id of an inspection of a new image, which nobody has assessed."""
        self._seed += 1
        data = noise(self._seed, (64, 96))
        film = read_radiograph(data, "film.png", polarity=Polarity.FILM)
        self._blobs.put(data)
        with self._store.write() as work:
            work.images.add(film, f"film {self._seed}.png", len(data), at=work.now)
        result = detection_result(film, n=n)
        return self._desk.inspections.record(self._who, result).inspection_id

    def sign(self, *said, n: int = 2, **changes) -> str:
        """The id of a signed inspection: what the model showed with these changes, and what was added."""
        return self._signed(self.read(n), said, changes)

    def sign_again(self, inspection_id: str) -> str:
        """The id of a signed revision of a signed inspection."""
        return self._signed(self._desk.signing_off.revise(self._who, inspection_id).inspection_id, (), {})

    def _signed(self, inspection_id: str, said: tuple, changes: dict) -> str:
        reading = self._desk.open_readings.open(self._who, inspection_id).reading
        boxes = [replace(one, **({"call": Call.CONFIRMED} | changes)) for one in reading.indications]
        saved = self._desk.readings.save(
            self._who, inspection_id, [*boxes, *said], expected_version=reading.version
        )
        decision = Decision(Disposition.REJECT)
        with self._store.read() as work:
            version = work.inspections.find(inspection_id).version
        self._desk.inspections.decide(self._who, inspection_id, decision, expected_version=version)
        self._desk.signing_off.sign(
            self._who, inspection_id, PASSWORD, expected_version=version + 1, expected_reading=saved.version,
            address="127.0.0.1",
        )  # fmt: skip
        return inspection_id

    def set_row(self, inspection_id: str, **values) -> None:
        """Change columns of an inspection in the database."""
        with self._store.write() as work:
            row = work._session.get_one(InspectionRow, inspection_id)
            for name, value in values.items():
                setattr(row, name, value)


@pytest.fixture
def history(store: Store, blobs: BlobStore, desk: Workspace, inspector: Identity) -> History:
    return History(store, blobs, desk, inspector)


def test_confirmed_and_drawn_boxes_are_the_recorded_truth(
    maker: SetMaker, history: History, engineer: Identity
) -> None:
    history.sign(MINE)
    count = maker.count_history(engineer, "weld", *ALL)
    assert (count.n_images, count.n_boxes, count.n_clean, count.read_by) == (1, 2, 0, (2,))
    made = maker.from_history(engineer, "signed", "weld", *ALL)
    assert (made.n_images, made.n_boxes, made.source["kind"]) == (1, 2, "history")
    assert made.source["read_by"] == [2]
    content = maker._sets.content(made)
    recorded = content.images[0].boxes.tolist()
    np.testing.assert_allclose(sorted(recorded), sorted([[1, 2, 30.5, 12.25], list(MINE.bbox)]))
    assert maker._sets.read(content, content.digests[0]).sha256 == content.digests[0]


def test_a_false_call_is_background_and_what_is_not_relevant_counts_for_nobody(
    maker: SetMaker, history: History, engineer: Identity
) -> None:
    history.sign(MINE, call=Call.DISMISSED, dismissed_as=DismissalKind.FALSE_CALL)
    history.sign(MINE, call=Call.DISMISSED, dismissed_as=DismissalKind.NON_RELEVANT)
    made = maker.from_history(engineer, "dismissed", "weld", *ALL)
    images = maker._sets.content(made).images
    assert [len(one.boxes) for one in images] == [1, 1]
    assert sorted(len(one.ignored) for one in images) == [0, 1]


def test_what_nobody_reviewed_makes_no_set_and_says_why(
    maker: SetMaker, history: History, engineer: Identity, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=r"no signed record is like this\.$"):
        maker.from_history(engineer, "none", "weld", *ALL)
    history.read()
    returned, unread = history.sign(), history.read()
    history.set_row(returned, state="returned")
    history.set_row(unread, state="signed")  # as of a release that let open indications through
    count = maker.count_history(engineer, "weld", *ALL)
    assert (count.n_images, dict(count.left_out)) == (0, {UNSIGNED: 1, RETURNED: 1, UNASSESSED: 1})
    with pytest.raises(BadInputError, match="output of the model itself") as refused:
        maker.from_history(engineer, "own output", "weld", *ALL)
    assert "1 not signed" in str(refused.value)
    assert not (tmp_path / "sets" / "images").exists()


@pytest.mark.parametrize(
    ("wanted", "n_expected"),
    [(SetFilter(part="nozzle"), 1), (SetFilter(part="flange"), 0), (SetFilter(equipment="ir-192"), 1),
     (SetFilter(classes=frozenset({"crack"})), 2), (SetFilter(classes=frozenset({"undercut"})), 0),
     (SetFilter(least_px=29), 2), (SetFilter(least_px=31), 0), (SetFilter(most_px=29), 0)],
)  # fmt: skip
def test_images_are_taken_by_part_equipment_class_and_size(
    maker: SetMaker, history: History, engineer: Identity, wanted: SetFilter, n_expected: int
) -> None:
    history.set_row(history.sign(), setup={"part": "Nozzle 7", "exposure": {"source": "Ir-192"}})
    history.sign()
    assert maker.count_history(engineer, "weld", wanted, HistoryBounds()).n_images == n_expected


def test_records_are_taken_by_version_and_moment(
    maker: SetMaker, history: History, engineer: Identity, store: Store
) -> None:
    history.sign()
    with store.read() as work:
        (made,) = work.data_versions.signed("weld")
        at = work.inspections.find(made.inspection_id).created_at
    after = at + timedelta(seconds=1)
    for bounds, n in (
        (HistoryBounds(model_version=2), 1),
        (HistoryBounds(model_version=1), 0),
        (HistoryBounds(since=at, until=after), 1),
        (HistoryBounds(since=after), 0),
        (HistoryBounds(until=at), 0),
    ):
        assert maker.count_history(engineer, "weld", SetFilter(), bounds).n_images == n
    assert maker.count_history(engineer, "casting", *ALL).n_images == 0


def test_an_older_record_never_stands_in_for_a_newer_one_outside_of_the_bounds(
    maker: SetMaker, history: History, engineer: Identity
) -> None:
    history.set_row(history.sign_again(history.sign()), model_version=3)
    count = maker.count_history(engineer, "weld", SetFilter(), HistoryBounds(model_version=2))
    assert count.n_images == 0
    assert maker.count_history(engineer, "weld", *ALL).read_by == (3,)


def test_who_may_not_make_sets_is_refused(maker: SetMaker, inspector: Identity) -> None:
    with pytest.raises(NotAllowedError):
        maker.from_history(inspector, "x", "weld", *ALL)
