"""Guests work in a throw-away workspace of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError
from core.services.workspaces import DemoWorkspaces
from core.store.audit_trail import open_store
from core.store.blobs import BlobNotFoundError
from tests.workplace import radiograph_png


class Seconds:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def guest(number: int) -> Identity:
    return Identity(f"guest-{number:016x}", "guest", Role.GUEST)


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def demo(tmp_path: Path, clock: Seconds, ended: list[str]) -> Iterator[DemoWorkspaces]:
    demo = DemoWorkspaces(
        tmp_path / "demo", open_store, idle_s=60, max_guests=3, on_end=ended.append, clock=clock,
        limit_bytes=2 * len(radiograph_png()),
    )  # fmt: skip
    yield demo
    demo.close()


def test_a_guest_keeps_images_and_nobody_else_sees_them(demo: DemoWorkspaces) -> None:
    added = demo.of(guest(1)).images.add(guest(1), radiograph_png(), "film.png")
    assert (demo.of(guest(1)).images.load(added.sha256).pixels == added.pixels).all()
    with pytest.raises(BlobNotFoundError):
        demo.of(guest(2)).images.load(added.sha256)


def test_a_workspace_ends_by_itself_with_everything_in_it(
    demo: DemoWorkspaces, clock: Seconds, tmp_path: Path, ended: list[str]
) -> None:
    demo.of(guest(1)).images.add(guest(1), radiograph_png(), "film.png")
    clock.now = 59
    demo.of(guest(2))
    assert ended == []
    clock.now = 61
    demo.sweep()
    assert ended == [guest(1).user_id]
    assert not list((tmp_path / "demo").glob(f"{guest(1).user_id}*"))


def test_using_it_keeps_it(demo: DemoWorkspaces, clock: Seconds, ended: list[str]) -> None:
    for clock.now in range(0, 300, 50):
        demo.of(guest(1))
    assert ended == []


def test_with_too_many_guests_the_longest_unused_goes(demo: DemoWorkspaces, ended: list[str]) -> None:
    for number in (1, 2, 3, 1, 4):
        demo.of(guest(number))
    assert ended == [guest(2).user_id]


def test_a_guest_cannot_fill_the_disk(demo: DemoWorkspaces) -> None:
    images = demo.of(guest(1)).images
    images.add(guest(1), radiograph_png(1), "1.png")
    images.add(guest(1), radiograph_png(2, height=8, width=8), "2.png")
    with pytest.raises(BadInputError, match="at most"):
        images.add(guest(1), radiograph_png(3), "3.png")


def test_a_restart_leaves_nothing_of_earlier_guests(demo: DemoWorkspaces, tmp_path: Path) -> None:
    demo.of(guest(1)).images.add(guest(1), radiograph_png(), "film.png")
    later = DemoWorkspaces(tmp_path / "demo", open_store)
    later.of(guest(2))
    assert [path.name for path in (tmp_path / "demo").iterdir() if path.is_dir()] == [guest(2).user_id]
    later.close()
