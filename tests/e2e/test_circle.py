"""The full circle in real browsers: corrected, trained on, compared, promoted, read right; and back."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from core.container import Container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.radiograph import Polarity
from core.engine.network import NetworkConfig
from core.training.images import load_images
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.recipe import CocoSource, Recipe, Schedule
from tests.artefacts import write_artefact
from tests.e2e.inspected import add_person, services_of, signed_in
from tests.e2e.serving import FILES, PATIENCE_MS, Served, served
from tests.e2e.test_reading import press, saved
from tests.frames import HEIGHT, WIDTH, Box, Frame, frame, write_frames

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]
#: The radiograph that is read wrong at first; no other frame has its seed.
FILM = 1000
TRAINED, LABELLED, JUDGING = range(12), range(100, 136), range(200, 210)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with a casting version that was taught that every frame's square marker is a defect."""
    folder = tmp_path_factory.mktemp("served")
    artefact = write_artefact(
        folder / "base", name="casting", polarity="digital", weights=_taught_wrong(folder / "taught")
    )
    with served(folder, champions={"casting": artefact}) as running:
        with services_of(running) as services:
            add_person(services, "i.film", Role.INSPECTOR)
            annotator = add_person(services, "l.label", Role.ANNOTATOR)
            add_person(services, "m.train", Role.ML_ENGINEER)
            for seed in LABELLED:
                _label(services, annotator, frame(seed), f"frame-{seed}.png")
            coco = write_frames(folder / "judging", JUDGING)
            services.evaluations.sets.add_files(COMMAND_LINE, "ten frames", "casting", coco, coco.parent)
        (folder / "film.png").write_bytes(frame(FILM).png)
        yield running


def _taught_wrong(folder: Path) -> Path:
    """Weights after a short real training."""
    data = write_frames(folder, TRAINED, with_markers=True).parent
    recipe = Recipe(
        model="casting",
        title="pores and markers",
        polarity=Polarity.DIGITAL,
        seed=1,
        sources=(CocoSource("truth.json", Polarity.DIGITAL),),
        schedule=Schedule(
            steps=250, batch=4, crop_px=128, learning_rate=0.004, warmup_steps=20, ema_decay=0.97
        ),
        network=NetworkConfig(stem_width=16, widths=(16, 16, 16, 16), channels=16, head_convolutions=1),
    )
    images = load_images(recipe, data, data)
    return train(recipe, images, RunSettings(out=folder), FileRunLog(folder), ConsoleJobLog())


def _label(services: Container, annotator: Identity, one: Frame, name: str) -> None:
    labels = services.workspace.labels
    image = services.workspace.images.add(COMMAND_LINE, one.png, name, polarity=Polarity.DIGITAL)
    said = [Label(f"h{n}", box, IndicationClass.POROSITY) for n, box in enumerate(one.pores, start=1)]
    labels.save(annotator, image.sha256, said, expected_version=0)
    labels.submit(annotator, image.sha256, expected_version=1)


def _upload(page: Page, film: Path, *, marker: bool) -> None:
    """Hand the film in; every pore of it comes to be reported, and the marker or not."""
    for _ in range(3):
        try:
            with page.expect_response("**/_stcore/upload_file/**", timeout=PATIENCE_MS / 4):
                page.locator(FILES).set_input_files(film)
            break
        except TimeoutError:
            continue  # the chooser was drawn anew just then
    _reads(page, marker=marker)


def _reads(page: Page, *, marker: bool) -> None:
    """Wait until the film on show is read so, above the operating point."""
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible()
    film, end = frame(FILM), time.monotonic() + PATIENCE_MS / 1000
    wanted = [marker, *(True for _ in film.pores)]
    while (found := [_is_reported(page, box) for box in (film.marker, *film.pores)]) != wanted:
        assert time.monotonic() < end, f"expected {wanted}, got {found}: the marker, then the pores"
        page.wait_for_timeout(300)


def _is_reported(page: Page, box: Box) -> bool:
    """Whether a click at the middle of a box of the film, which is shown as a whole, selects anything."""
    page.locator(".stage > canvas").press("Escape")
    stage = page.locator(".stage > canvas").bounding_box()
    assert stage
    scale = min(stage["width"] / WIDTH, stage["height"] / HEIGHT)
    x, y = (box[0] + box[2] - WIDTH) / 2, (box[1] + box[3] - HEIGHT) / 2
    page.mouse.click(
        stage["x"] + stage["width"] / 2 + scale * x, stage["y"] + stage["height"] / 2 + scale * y
    )
    return page.locator(".panel tr[aria-selected=true]").count() == 1


def _fill(page: Page, name: str, value: str) -> None:
    field = page.get_by_role("spinbutton", name=name)
    field.fill(value)
    field.press("Tab")


def test_a_wrong_box_is_corrected_learnt_compared_promoted_and_rolled_back(
    chromium: Browser, server: Served
) -> None:
    film = Path(server.environment["DATA_DIR"]) / "film.png"
    with (
        signed_in(chromium, server, "i.film", "/?model=casting") as inspect,
        signed_in(chromium, server, "m.train", "/data?model=casting") as engineer,
    ):
        _upload(inspect, film, marker=True)
        found = re.search("image=([0-9a-f]{64})", inspect.url)
        assert found

        with signed_in(chromium, server, "l.label", f"/label?image={found[1]}") as annotator:
            _reads(annotator, marker=True)
            assert _is_reported(annotator, frame(FILM).marker)
            press(annotator, "Delete", "a")
            saved(annotator)
            press(annotator, "Control+Enter")
            expect(annotator.get_by_text("Nothing more waits")).to_be_visible()

        engineer.get_by_role("button", name="Make a data version").click()
        licence = engineer.get_by_role("textbox", name="Licence")
        licence.fill("own production, internal use")
        licence.press("Tab")
        engineer.get_by_role("button", name="Check and make").click()
        expect(engineer.get_by_text("Data version 1", exact=True)).to_be_visible(timeout=180_000)
        expect(engineer.get_by_text("porosity 288, unclassified 8")).to_be_visible()

        engineer.get_by_role("link", name="Train on this version").click()
        _fill(engineer, "Steps", "250")
        _fill(engineer, "Learning rate", "0.003")
        engineer.get_by_role("button", name="Start training").click()
        expect(engineer.locator(".rk-job")).to_contain_text("casting v1 on data version 1")
        expect(engineer.get_by_text("casting v2 is the challenger.")).to_be_visible(timeout=300_000)

        engineer.get_by_role("link", name="Compare v2 with v1").click()
        engineer.get_by_role("button", name="Measure v1 and v2 on ten frames").click()
        expect(engineer.locator(".rk-findings")).to_contain_text("v2 is better than v1 in false calls")

        engineer.goto("/versions?model=casting&version=2&view=gate")
        engineer.get_by_role("button", name="Promote to champion").click()
        expect(engineer.get_by_text("casting v2 is champion now")).to_be_visible()

        inspect.goto("/?model=casting")
        expect(inspect.locator(".rk-header")).to_contain_text("casting v1 (reads this image)")
        expect(inspect.get_by_text("The champion is v2 now")).to_be_visible()
        inspect.get_by_role("button", name="Add radiographs").click()
        _upload(inspect, film, marker=False)  # the same radiograph comes out right
        expect(inspect.locator(".rk-header")).to_contain_text("casting v2 (champion)")

        engineer.goto("/versions?model=casting")
        engineer.get_by_role("button", name="Roll back to v1").click()
        expect(engineer.get_by_text("casting v1 is champion now: rolled back")).to_be_visible()
        inspect.goto("/?model=casting")
        inspect.get_by_role("button", name="Add radiographs").click()
        _upload(inspect, film, marker=True)  # as before
