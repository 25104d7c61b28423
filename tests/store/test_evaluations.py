from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from core.domain.errors import BadInputError, DatasetError
from core.store.array_files import ArrayFiles
from core.store.evaluations import Evaluation, EvaluationKey, EvaluationSet
from tests.records import new_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_set(number: int = 1, **changes: object) -> EvaluationSet:
    one = EvaluationSet(
        f"s{number}", f"set {number}", "weld", f"{number:064d}", {"kind": "files"}, 3, 9, None, NOW
    )
    return replace(one, **changes)


def an_evaluation(number: int = 1, figures_version: int = 1) -> Evaluation:
    key = EvaluationKey("m" * 64, "cal", f"{1:064d}", figures_version)
    return Evaluation(f"e{number}", "weld", 2, key, "f" * 64, "cpu", 12.5, None, NOW, {"recall": 0.5})


@pytest.fixture
def store(engine):
    return new_store(engine)


def test_a_set_is_found_by_model_and_id(store):
    with store.write() as work:
        work.evaluations.add_set(a_set())
        work.evaluations.add_set(a_set(2, model_name="casting"))
    with store.read() as work:
        assert [one.name for one in work.evaluations.sets("weld")] == ["set 1"]
        assert len(work.evaluations.sets()) == 2
        assert work.evaluations.find_set("s1") == a_set()
        with pytest.raises(BadInputError, match="no evaluation set s9"):
            work.evaluations.find_set("s9")


def test_the_same_content_or_name_again_is_refused(store):
    with store.write() as work:
        work.evaluations.add_set(a_set())
    with pytest.raises(BadInputError, match="are the evaluation set 'set 1' already"), store.write() as work:
        work.evaluations.add_set(a_set(2, digest=a_set().digest))
    with pytest.raises(BadInputError, match="choose another name"), store.write() as work:
        work.evaluations.add_set(a_set(2, name="set 1"))


def test_an_evaluation_is_kept_once_and_found_by_what_it_is_of(store):
    with store.write() as work:
        work.evaluations.add_set(a_set())
        work.evaluations.add(an_evaluation())
        work.evaluations.add(replace(an_evaluation(2), summary={"recall": 0.9}))
        work.evaluations.add(an_evaluation(3, figures_version=2))
    with store.read() as work:
        found = work.evaluations.find(an_evaluation().key)
        assert found is not None
        assert (found.evaluation_id, found.summary) == ("e1", {"recall": 0.5})
        assert work.evaluations.find(replace(an_evaluation().key, calibration_id="other")) is None
        for figures_version, evaluation_id in ((1, "e1"), (2, "e3")):
            listed = work.evaluations.on_set(a_set().digest, figures_version)
            assert [(one.evaluation_id, one.summary) for one in listed] == [(evaluation_id, {})]


def test_arrays_are_read_back_and_a_changed_file_is_refused(tmp_path):
    files = ArrayFiles(tmp_path)
    arrays = {"a": np.arange(5), "names": np.array(["x", "yy"])}
    sha256 = files.write(arrays)
    assert files.read(sha256)["a"].tolist() == [0, 1, 2, 3, 4]
    assert files.read(sha256)["names"].tolist() == ["x", "yy"]
    files.path(sha256).write_bytes(files.path(sha256).read_bytes() + b"x")
    with pytest.raises(DatasetError, match="was changed"):
        files.read(sha256)
    with pytest.raises(DatasetError, match="is missing"):
        files.read("0" * 64)
    with pytest.raises(DatasetError, match="there is no evaluation"):
        files.read("../../etc/passwd")
