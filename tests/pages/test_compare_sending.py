"""Images sent to labelling from the page Compare."""

from pathlib import Path

import pytest

from app.models.compare.places import pair_of, places_of
from app.models.compare.sending.render import boxes_of
from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.correction import Origin
from tests.measured import add_second_version, add_set, measure
from tests.pages.browser import Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_images_on_show_go_to_the_queue_and_the_queue_says_who_sent_them(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("r.view", Role.REVIEWER))
    page = open_page("compare.py", set=chosen.set_id, v="1,2", view="boxes", show="error:0:missed")
    assert "These images judge versions: they lie in the evaluation set six frames" in page.warning[0].value
    page.text_input(key="sending.note.0").set_value("pores?")
    page.button(key="sending.send").click().run()
    assert not page.exception
    assert "6 images sent to labelling; 6 images handed in from the set for it" in said(page)
    page.button(key="sending.send").click().run()
    assert "0 images sent to labelling; 6 images left out, waiting in the queue already" in said(page)
    browser.sign_in(browser.account("a.label", Role.ANNOTATOR))
    first = workplace.services.evaluations.sets.content(chosen).digests[0]
    with workplace.services.store.read() as work:
        item_id = work.queue.of_image(first)[0].item_id
    page = open_page("disagreements.py", item=item_id)
    assert not page.exception
    assert "Sent by R.View from a comparison of weld v1, v2 on six frames: pores?" in said(page)


def test_the_boxes_of_a_place_are_told_once_with_whose_they_are(workplace: Resources, tmp_path: Path) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    service = workplace.services.evaluations
    first, second = service.open(COMMAND_LINE, chosen, (1, 2))
    pair = pair_of(first, second, None)
    _, places = places_of(pair, service.differences(COMMAND_LINE, first, second, None), "bin:0:0:1")
    found = boxes_of(pair, places, chosen, service.content(COMMAND_LINE, chosen))
    own = [one for boxes in found.values() for one in boxes if one.remark.startswith("v1: ")]
    table = pair.tables[0]
    assert len(own) == int((table.scores >= table.score_cut).sum()) == len(places)
    recorded = [one for boxes in found.values() for one in boxes if one.origin is Origin.IMPORTED]
    assert len(recorded) == len(set(places.truth[places.truth >= 0].tolist())) > 0
    assert {one.remark for one in recorded} == {"recorded as defect in six frames"}
