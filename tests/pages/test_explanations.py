"""The page Explain in Streamlit's own test runner, on one inspection of a tiny network."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.explain.render import _arrays
from app.shared.components.map_panes.map_panes import MapPane
from app.shared.resources import Resources
from core.domain.accounts import Identity, Role
from core.domain.explanation_standing import methods_in_order
from core.domain.explanations import METHOD_WORDS, Belief, Method
from core.domain.inspection import HeatMap
from core.domain.radiograph import Polarity
from core.explain.perturbation import Perturbed, explain_box_perturbed
from core.services.intake.asked import Asked
from tests.measured import add_second_version, add_set
from tests.pages.browser import Browser, open_page, said
from tests.workplace import incoming, radiograph_png


@pytest.fixture
def reviewer(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("r.view", Role.REVIEWER))
    return browser


def test_without_a_box_the_page_says_how_to_come_to_one(reviewer: Browser) -> None:
    page = open_page("explanations.py")
    assert not page.exception
    assert "Select an indication on the inspection page" in said(page)


def test_an_inspection_that_is_not_there_is_told_without_a_map(reviewer: Browser) -> None:
    page = open_page("explanations.py", inspection="0" * 32, box="1")
    assert not page.exception
    assert page.error


def test_an_annotator_is_not_let_in(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("an.n", Role.ANNOTATOR))
    page = open_page("explanations.py", inspection="0" * 32)
    assert not page.error
    assert "Explain" in said(page)


def test_maps_are_exported_with_their_places() -> None:
    heat = HeatMap(np.ones((2, 3), np.float32), 5, 7, 0.25)
    found = np.load(io.BytesIO(_arrays({Method.GRADCAM: heat})))
    assert found["gradcam"].shape == (2, 3)
    assert found["gradcam_place"].tolist() == [5, 7, 0.25]


def test_all_methods_of_a_reported_box_stand_side_by_side(
    workplace: Resources, reviewer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.explain.methods.explain_box_perturbed", _few_masks)
    shown: list[list[MapPane]] = []
    monkeypatch.setattr(
        "app.explain.render.map_panes", lambda _result, _part, panes, **_: shown.append(panes)
    )
    inspector = reviewer.account("i.spec", Role.INSPECTOR)
    asked = Asked("weld", version=1, polarity=Polarity.FILM)
    inspected = workplace.services.inspect_files.inspect(
        Identity(inspector.user_id, inspector.name, Role.INSPECTOR),
        incoming("film.png", radiograph_png(3, height=160, width=200)),
        asked,
    )
    found = inspected.result.detections.boxes
    box = int(np.argmin((found[:, 2:] - found[:, :2]).prod(axis=1))) + 1
    page = open_page("explanations.py", inspection=inspected.inspection.inspection_id, box=str(box))
    assert not page.exception
    words = said(page)
    assert "Without it:" in words
    assert [pane.title for pane in shown[-1]] == [METHOD_WORDS[one] for one in methods_in_order(None)]
    assert all(
        pane.lines[0].startswith(("empty", *(belief.value for belief in Belief))) for pane in shown[-1]
    )
    assert "Drag a rectangle" in words


def test_two_versions_are_explained_at_one_place_of_an_evaluation_set(
    workplace: Resources, reviewer: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.explain.methods.explain_box_perturbed", _few_masks)
    shown: list[list[MapPane]] = []
    monkeypatch.setattr(
        "app.explain.versions.map_panes", lambda _result, _part, panes, **_: shown.append(panes)
    )
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    content = workplace.services.evaluations.sets.content(chosen)
    sha256 = content.digests[0]
    radiograph = workplace.services.evaluations.sets.read(content, sha256)
    found = workplace.services.detect.detect(radiograph, "a.png", model="weld", version=1).detections.boxes
    small = found[int(np.argmin((found[:, 2:] - found[:, :2]).prod(axis=1)))]
    at = ",".join(f"{value:.1f}" for value in small)
    page = open_page("explanations.py", set=chosen.set_id, image=sha256, v="1,2", at=at)
    assert not page.exception
    assert "v1" in said(page)
    assert [pane.title for pane in shown[-1]] == [
        f"v{number}, {name}" for number in (1, 2) for name in METHOD_WORDS.values()
    ]
    assert shown[-1][0].box == pytest.approx(small, abs=0.1)
    assert [(pane.title, pane.heat) for pane in shown[0]] == [("v1", None), ("v2", None)]  # at once
    assert shown[0][0].box == pytest.approx(small, abs=0.1)
    page = open_page("explanations.py", set="none", image=sha256, v="1,2", at=at)
    assert page.error


def _few_masks(*args: Any, **options: Any) -> Perturbed:
    return explain_box_perturbed(*args, **{**options, "masks": 8})
