"""What a visitor has on the table."""

from app.inspection.tray import EntryState, Tray, TrayEntry, Trays
from core.domain.accounts import Identity, Role
from core.domain.radiograph import Polarity

SHA = "ab" * 32


def test_an_entry_goes_from_reading_to_stored() -> None:
    tray = Tray()
    key = tray.expect("film.png", Polarity.FILM)
    assert tray.get(key).state is EntryState.READING
    assert tray.with_digest(SHA) is None
    tray.store(key, SHA)
    assert tray.with_digest(SHA) == tray.get(key)
    assert (tray.get(key).name, tray.get(key).polarity) == ("film.png", Polarity.FILM)


def test_a_failed_entry_keeps_its_reason_and_shows_no_image() -> None:
    tray = Tray()
    key = tray.expect("film.png", Polarity.UNKNOWN)
    tray.fail(key, "not a radiograph")
    assert (tray.get(key).state, tray.get(key).message) == (EntryState.FAILED, "not a radiograph")


def test_the_same_image_again_replaces_the_earlier_entry() -> None:
    tray = Tray()
    first, second = (tray.expect("film.png", polarity) for polarity in (Polarity.FILM, Polarity.DIGITAL))
    tray.store(first, SHA)
    tray.store(second, SHA)
    assert [entry.key for entry in tray.entries()] == [second]


def test_a_removed_entry_stays_removed_when_its_reading_ends() -> None:
    tray = Tray()
    stored, failed = tray.expect("a.png", Polarity.FILM), tray.expect("b.png", Polarity.FILM)
    tray.remove(stored)
    tray.remove(failed)
    tray.remove("never there")
    tray.store(stored, SHA)
    tray.fail(failed, "broken")
    assert tray.entries() == ()


def test_a_full_tray_gives_up_its_oldest() -> None:
    tray = Tray()
    keys = [tray.expect(f"{n}.png", Polarity.FILM) for n in range(301)]
    assert len(tray.entries()) == 300
    assert tray.get(keys[0]) is None
    assert tray.get(None) is None


def guest(name: str) -> Identity:
    return Identity(f"guest-{name}", "guest", Role.GUEST)


def test_visitors_do_not_share_a_tray_and_the_idle_are_forgotten() -> None:
    trays = Trays()
    trays.of(guest("a")).expect("film.png", Polarity.FILM)
    assert trays.of(guest("b")).entries() == ()
    assert len(trays.of(guest("a")).entries()) == 1
    for n in range(500):
        trays.of(guest(f"{n}"))
    assert trays.of(guest("a")).entries() == ()


def test_what_lay_there_before_comes_back_once() -> None:
    asked = []

    def recall(visitor: Identity) -> list[TrayEntry]:
        asked.append(visitor.user_id)
        return [TrayEntry("k", "film.png", Polarity.FILM, EntryState.STORED, SHA)]

    trays = Trays(recall)
    assert trays.of(guest("a")).with_digest(SHA).name == "film.png"
    trays.of(guest("a")).remove("k")
    assert trays.of(guest("a")).entries() == ()
    assert asked == ["guest-a"]


def test_an_entry_that_holds_several_images_becomes_as_many_in_its_place() -> None:
    tray = Tray()
    keys = [tray.expect(f"{n}.dcm", Polarity.FILM) for n in range(3)]
    parts = tray.split(keys[1], ["1 frame 1.dcm", "1 frame 2.dcm"])
    assert [entry.name for entry in tray.entries()] == ["0.dcm", "1 frame 1.dcm", "1 frame 2.dcm", "2.dcm"]
    assert [entry.key for entry in tray.entries()] == [keys[0], *parts, keys[2]]
    assert parts[0] == keys[1]
    assert tray.get(parts[1]).polarity is Polarity.FILM
    tray.remove(keys[2])
    assert tray.split(keys[2], ["gone.dcm"]) == ()
    assert len(tray.entries()) == 3


def test_an_entry_is_read_by_the_champion_of_when_it_was_first_asked() -> None:
    tray = Tray([TrayEntry("k", "film.png", Polarity.FILM, EntryState.STORED, SHA, read_by={"casting": 7})])
    assert tray.reader("k", "weld", 1) == 1
    assert tray.reader("k", "weld", 2) == 1, "whatever became champion later"
    assert tray.reader("k", "casting", 9) == 7, "also where it was read before this process"
    tray.read_anew("k", "weld")
    assert tray.reader("k", "weld", 2) == 2
    assert tray.reader("k", "casting", 9) == 7
    assert tray.reader("gone", "weld", 3) == 3
