"""A folder and a multi-frame file in a real browser: dropped, picked, and what of them is no radiograph."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, Page, TimeoutError, expect
from pydicom.uid import RLELossless

from tests.e2e.serving import FILES, PATIENCE_MS, Served, served
from tests.imaging.pictures import write_dicom
from tests.workplace import radiograph_png

DROP_ZONE = "[data-testid=stFileUploaderDropzone]"
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), "--demo") as running:
        yield running


@pytest.fixture
def page(server: Served, chromium: Browser) -> Iterator[Page]:
    """The empty inspection page of a new visitor, that fails the test on any script error."""
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    expect(page.locator(DROP_ZONE)).to_have_count(2)
    yield page
    page.close()
    assert not errors


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder on the disk: a browser takes no dropped folder from below /dev, where others are in memory."""
    with TemporaryDirectory(dir="/var/tmp", prefix="radikal-") as made:
        yield Path(made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two radiographs of one name in two folders, one without a suffix, and what else lies there."""
    shift = tmp_path / "shift"
    for number, name in enumerate(("north", "south")):
        (shift / name).mkdir(parents=True)
        (shift / name / "film.png").write_bytes(radiograph_png(number))
    (shift / "IM0001").write_bytes(write_dicom(np.full((40, 50), 7, np.uint16)))
    (shift / "notes.txt").write_text("200 kV")
    (shift / "plan.pdf").write_bytes(b"%PDF-1.4")
    return shift


def expect_names(page: Page, *wanted: str) -> None:
    """Wait until the strip shows these, all of them read and analysed."""
    expect(page.locator(".strip .label")).to_have_text(list(wanted), timeout=PATIENCE_MS)
    expect(page.locator(".strip .open[data-state=ready]")).to_have_count(len(wanted), timeout=PATIENCE_MS)
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)


def drop(page: Page, zone: int, paths: Sequence[Path]) -> None:
    """Drag files or folders from the file system onto a chooser."""
    box = page.locator(DROP_ZONE).nth(zone).bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


@pytest.mark.parametrize("zone", [0, 1], ids=["files", "folder"])
def test_a_dropped_folder_gives_its_radiographs_and_one_line_on_the_rest(
    page: Page, folder: Path, zone: int
) -> None:
    drop(page, zone, [folder])
    expect_names(page, "film.png", "film (2).png", "IM0001")
    remark = page.locator(".remark")
    expect(remark).to_contain_text("Skipped 2 files that are no radiographs: notes.txt, plan.pdf.")
    assert page.locator(".progress details").count() == 0
    remark.get_by_role("button", name="OK").click()
    expect(remark).to_have_count(0)
    expect(page.locator(".progress")).to_be_hidden(timeout=PATIENCE_MS)


def test_a_picked_folder_tells_files_of_one_name_apart_by_their_folders(page: Page, folder: Path) -> None:
    for _ in range(4):
        try:
            with page.expect_response("**/_stcore/upload_file/**", timeout=PATIENCE_MS / 4):
                with page.expect_file_chooser() as chooser:
                    page.get_by_role("button", name="Upload directories").click()
                chooser.value.set_files(folder)
            break
        except TimeoutError:
            continue  # the chooser was drawn anew just then
    expect_names(page, "IM0001", "north - film.png", "south - film.png")


def test_a_folder_without_radiographs_says_so_on_the_empty_page(page: Page, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("200 kV")
    drop(page, 0, [tmp_path / "papers"])
    expect(
        page.get_by_text("expected a PNG, JPEG, BMP, TIFF, PGM, NumPy or DICOM radiograph, got a text file")
    ).to_be_visible()
    drop(page, 0, [tmp_path / "papers", tmp_path / "papers"])
    expect(page.get_by_text("Skipped 2 files that are no radiographs: notes.txt, notes.txt.")).to_be_visible()


def test_each_frame_is_an_image_that_says_where_it_came_from(page: Page, tmp_path: Path) -> None:
    frames = np.random.default_rng(4).integers(0, 60_000, (3, 96, 128), dtype=np.uint16)
    (tmp_path / "panel.dcm").write_bytes(write_dicom(frames, frames=3, syntax=RLELossless))
    page.locator(FILES).set_input_files(tmp_path / "panel.dcm")
    expect_names(page, *(f"panel frame {number} of 3.dcm" for number in (1, 2, 3)))
    page.get_by_role("tab", name="Image").click()
    facts = page.locator(".image-facts")
    expect(facts).to_contain_text("frame 1 of 3 of the file with SHA-256")
    digest = facts.locator("dd").last.inner_text()
    page.reload()
    expect_names(page, *(f"panel frame {number} of 3.dcm" for number in (1, 2, 3)))
    page.get_by_role("tab", name="Image").click()
    expect(facts.locator("dd").last).to_have_text(digest)


def test_each_page_of_a_tiff_is_an_image_and_what_is_not_read_stands_beside_the_verdict(
    page: Page, tmp_path: Path
) -> None:
    pages = np.random.default_rng(5).integers(0, 60_000, (2, 96, 128), dtype=np.uint16)
    with tifffile.TiffWriter(tmp_path / "films.tif") as writer:
        for picture, kind in ((pages[0, ::8, ::8], 1), (pages[0], 0), (pages[1], 0)):
            writer.write(picture, subfiletype=kind, photometric="minisblack")
    page.locator(FILES).set_input_files(tmp_path / "films.tif")
    expect_names(page, "films page 1 of 2.tif", "films page 2 of 2.tif")
    page.get_by_role("tab", name="Verdict").click()
    expect(page.locator(".unread")).to_have_text("Also in the file: 1 reduced copy not read (16 × 12 px).")
    page.get_by_role("tab", name="Image").click()
    expect(page.locator(".image-facts")).to_contain_text("page 1 of 2 of the file with SHA-256")


def test_a_file_that_declares_a_hundred_thousand_frames_is_one_clear_line(page: Page, tmp_path: Path) -> None:
    data = write_dicom(np.zeros((2, 40, 50), np.uint8), frames=2, NumberOfFrames=100_000)
    (tmp_path / "bomb.dcm").write_bytes(data)
    page.locator(FILES).set_input_files(tmp_path / "bomb.dcm")
    told = "bomb.dcm: expected a DICOM file of at most 250 frames, got 100000 (bomb.dcm). Nothing was stored"
    expect(page.get_by_text(told)).to_be_visible()
