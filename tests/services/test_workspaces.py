"""Guests work in a throw-away workspace of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError
from core.services.demo_workspaces import DemoFullError, DemoWorkspaces, NoWorkspaceError
from core.store.audit_trail import open_store
from core.store.blobs import BlobNotFoundError
from tests.workplace import radiograph_png


class Seconds:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def guest(number: int, address: str | None = "192.0.2.7") -> Identity:
    return Identity(f"guest-{number:016x}", "guest", Role.GUEST, address=address)


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def demo(tmp_path: Path, clock: Seconds, ended: list[str]) -> Iterator[DemoWorkspaces]:
    demo = DemoWorkspaces(
        tmp_path / "demo", open_store, idle_s=3600, max_guests=3, max_per_address=2, clock=clock,
        on_end=ended.append, limit_bytes=2 * len(radiograph_png()),
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
    clock.now = 3599
    demo.of(guest(2))
    assert ended == []
    clock.now = 3601
    demo.sweep()
    assert ended == [guest(1).user_id]
    assert not list((tmp_path / "demo").glob(f"{guest(1).user_id}*"))


def test_using_it_keeps_it(demo: DemoWorkspaces, clock: Seconds, ended: list[str]) -> None:
    for clock.now in range(0, 18_000, 3000):
        demo.of(guest(1))
    assert ended == []


def test_a_newcomer_takes_the_place_of_whoever_has_not_acted_for_longest(
    demo: DemoWorkspaces, clock: Seconds, ended: list[str]
) -> None:
    for number in (1, 2, 3):
        demo.of(guest(number, f"192.0.2.{number}"))
        clock.now += 1
    demo.act(guest(1))
    clock.now = 15 * 60 + 1
    demo.of(guest(2))  # a page that polls is no act
    demo.of(guest(4, "192.0.2.4"))
    assert ended == [guest(2).user_id]


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 15), (14 * 60, 1), (899.5, 1)])
def test_nobody_who_acted_lately_is_put_out(
    demo: DemoWorkspaces, clock: Seconds, ended: list[str], seconds: float, minutes: int
) -> None:
    for number in (1, 2, 3):
        demo.of(guest(number, f"192.0.2.{number}"))
    clock.now = seconds
    with pytest.raises(DemoFullError, match="3 guests use the demo") as full:
        demo.of(guest(4, "192.0.2.4"))
    assert full.value.minutes == minutes
    assert ended == []


def test_an_address_makes_room_among_its_own_guests_only(
    demo: DemoWorkspaces, clock: Seconds, ended: list[str]
) -> None:
    demo.of(guest(9, "198.51.100.1"))
    for number in (1, 2):
        demo.of(guest(number))
    with pytest.raises(DemoFullError, match="from your network"):
        demo.of(guest(3))
    clock.now = 15 * 60
    demo.of(guest(3))
    assert ended == [guest(1).user_id]


def test_without_an_address_a_workspace_can_be_used_and_none_is_made(demo: DemoWorkspaces) -> None:
    with pytest.raises(NoWorkspaceError):
        demo.of(guest(1, None))
    made = demo.of(guest(1))
    assert demo.of(guest(1, None)) is made


def test_who_has_no_workspace_acts_for_nothing(demo: DemoWorkspaces) -> None:
    demo.act(guest(1))
    with pytest.raises(NoWorkspaceError):
        demo.of(guest(1, None))


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
