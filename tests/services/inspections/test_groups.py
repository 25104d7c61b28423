"""A group of pores: one imperfection for the table, one line in the report, signed as such."""

from dataclasses import replace

import pytest

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import Call
from core.domain.records import Disposition
from core.reports.report_content import reported_indications
from core.reports.report_indications import _group_words
from core.services.inspections.inspecting import Decision
from core.services.inspections.judging import findings_of
from core.services.workspaces import Workspace
from core.store.inspection_history import HistoryFilter
from tests.records import MINE, PASSWORD, detection_result


@pytest.fixture
def inspection_id(desk: Workspace, inspector: Identity) -> str:
    return desk.inspections.record(inspector, detection_result()).inspection_id


@pytest.fixture
def said(desk: Workspace, inspector: Identity, inspection_id: str) -> list:
    """The model's first and a drawn one, grouped as clustered porosity."""
    (first,) = desk.open_readings.open(inspector, inspection_id).reading.indications
    member = replace(first, call=Call.CONFIRMED, indication_class=IndicationClass.POROSITY, group="h2")
    drawn = replace(MINE, indication_class=IndicationClass.POROSITY, bbox=(40, 20, 50, 40), group="h2")
    group = replace(drawn, indication_id="h2", bbox=(1, 2, 50, 40), iso6520="2013", group=None, note="")
    return [member, drawn, group]


def test_a_group_is_one_finding_with_the_extent_of_its_box(said) -> None:
    (found,) = findings_of(said, PixelPitch(0.1, PitchSource.USER), {Call.CONFIRMED})
    assert (found.finding_id, found.kind) == ("h2", "2013")
    assert found.length is not None
    assert found.length.mm == pytest.approx(4.9)
    assert found.covered_percent is not None
    assert 0 < found.covered_percent.low < found.covered_percent.high < 100


def test_a_group_is_one_line_of_the_report_with_its_members(desk, inspector, inspection_id, said) -> None:
    inspection = desk.inspections.get(inspector, inspection_id)
    (line,) = reported_indications(inspection, said, None, None)
    assert (line.number, line.members) == (4, (1, 3))
    assert line.covered_percent is not None
    assert _group_words((3, 4, 5, 9), 12.5) == "nos. 3 to 5, 9; they cover 12.5 % of its projected area"


def test_a_group_is_saved_signed_and_counted_once(desk, inspector, inspection_id, said) -> None:
    desk.readings.save(inspector, inspection_id, said, expected_version=0)
    kept = desk.open_readings.open(inspector, inspection_id).reading
    assert list(kept.indications) == said
    (entry,) = desk.history.search(inspector, HistoryFilter()).entries
    assert dict(entry.found) == {IndicationClass.POROSITY: 1}
    desk.inspections.decide(inspector, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    signature = desk.signing_off.sign(
        inspector, inspection_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )
    assert desk.signing_off.is_intact(signature)


def test_a_member_of_no_group_is_refused(desk, inspector, inspection_id, said) -> None:
    with pytest.raises(BadInputError, match="there is no group h2"):
        desk.readings.save(inspector, inspection_id, said[:2], expected_version=0)
