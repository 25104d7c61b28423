"""Every small input of `../shared/cases` comes out as it should; skipped where that folder is not there."""

import pytest

from benchmarks.cases import FOLDER, cases


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of failing cases is not there")
def test_every_case_comes_out_right() -> None:
    found = cases(FOLDER)
    assert len(found) > 100
    assert {one.name: one.now for one in found if not one.is_right} == {}
