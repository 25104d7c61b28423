"""What a visitor has on the worklist."""

from app.shared.worklist import EntryState, Worklist, WorklistEntry, Worklists
from core.domain.accounts import Identity, Role
from core.domain.radiograph import Polarity

SHA = "ab" * 32


def test_an_entry_goes_from_reading_to_stored() -> None:
    worklist = Worklist()
    key = worklist.expect("film.png", Polarity.FILM)
    assert worklist.get(key).state is EntryState.READING
    assert worklist.with_digest(SHA) is None
    worklist.store(key, SHA)
    assert worklist.with_digest(SHA) == worklist.get(key)
    assert (worklist.get(key).name, worklist.get(key).polarity) == ("film.png", Polarity.FILM)


def test_a_failed_entry_keeps_its_reason_and_shows_no_image() -> None:
    worklist = Worklist()
    key = worklist.expect("film.png", Polarity.UNKNOWN)
    worklist.fail(key, "not a radiograph")
    assert (worklist.get(key).state, worklist.get(key).message) == (EntryState.FAILED, "not a radiograph")


def test_the_same_image_again_replaces_the_earlier_entry() -> None:
    worklist = Worklist()
    first, second = (worklist.expect("film.png", polarity) for polarity in (Polarity.FILM, Polarity.DIGITAL))
    worklist.store(first, SHA)
    worklist.store(second, SHA)
    assert [entry.key for entry in worklist.entries()] == [second]


def test_a_removed_entry_stays_removed_when_its_reading_ends() -> None:
    worklist = Worklist()
    stored, failed = worklist.expect("a.png", Polarity.FILM), worklist.expect("b.png", Polarity.FILM)
    worklist.remove(stored)
    worklist.remove(failed)
    worklist.remove("never there")
    worklist.store(stored, SHA)
    worklist.fail(failed, "broken")
    assert worklist.entries() == ()


def test_a_full_worklist_gives_up_its_oldest() -> None:
    worklist = Worklist()
    keys = [worklist.expect(f"{n}.png", Polarity.FILM) for n in range(301)]
    assert len(worklist.entries()) == 300
    assert worklist.get(keys[0]) is None
    assert worklist.get(None) is None


def guest(name: str) -> Identity:
    return Identity(f"guest-{name}", "guest", Role.GUEST)


def test_visitors_do_not_share_a_worklist_and_the_idle_are_forgotten() -> None:
    held = Worklists()
    held.of(guest("a")).expect("film.png", Polarity.FILM)
    assert held.of(guest("b")).entries() == ()
    assert len(held.of(guest("a")).entries()) == 1
    for n in range(500):
        held.of(guest(f"{n}"))
    assert held.of(guest("a")).entries() == ()


def test_what_lay_there_before_comes_back_once() -> None:
    asked = []

    def recall(visitor: Identity) -> list[WorklistEntry]:
        asked.append(visitor.user_id)
        return [WorklistEntry("k", "film.png", Polarity.FILM, EntryState.STORED, SHA)]

    held = Worklists(recall)
    assert held.of(guest("a")).with_digest(SHA).name == "film.png"
    held.of(guest("a")).remove("k")
    assert held.of(guest("a")).entries() == ()
    assert asked == ["guest-a"]


def test_an_entry_that_holds_several_images_becomes_as_many_in_its_place() -> None:
    worklist = Worklist()
    keys = [worklist.expect(f"{n}.dcm", Polarity.FILM) for n in range(3)]
    parts = worklist.split(keys[1], ["1 frame 1.dcm", "1 frame 2.dcm"])
    assert [entry.name for entry in worklist.entries()] == [
        "0.dcm",
        "1 frame 1.dcm",
        "1 frame 2.dcm",
        "2.dcm",
    ]
    assert [entry.key for entry in worklist.entries()] == [keys[0], *parts, keys[2]]
    assert parts[0] == keys[1]
    assert worklist.get(parts[1]).polarity is Polarity.FILM
    worklist.remove(keys[2])
    assert worklist.split(keys[2], ["gone.dcm"]) == ()
    assert len(worklist.entries()) == 3


def test_an_entry_keeps_the_model_it_came_for_until_somebody_chooses_the_other() -> None:
    worklist = Worklist()
    keys = [
        worklist.expect(f"{n}.png", Polarity.FILM, model=model) for n, model in enumerate(("weld", "casting"))
    ]
    assert [entry.model for entry in worklist.entries()] == ["weld", "casting"]
    worklist.read_as(keys[0], "casting")
    worklist.read_as("gone", "casting")
    assert [(one.model, one.is_model_chosen) for one in worklist.entries()] == [
        ("casting", True),
        ("casting", False),
    ]


def test_an_entry_is_read_by_the_champion_of_when_it_was_first_asked() -> None:
    worklist = Worklist(
        [WorklistEntry("k", "film.png", Polarity.FILM, EntryState.STORED, SHA, read_by={"casting": 7})]
    )
    assert worklist.reader("k", "weld", 1) == 1
    assert worklist.reader("k", "weld", 2) == 1, "whatever became champion later"
    assert worklist.reader("k", "casting", 9) == 7, "also where it was read before this process"
    worklist.read_anew("k", "weld")
    assert worklist.reader("k", "weld", 2) == 2
    assert worklist.reader("k", "casting", 9) == 7
    assert worklist.reader("gone", "weld", 3) == 3


FILM, DIGITAL, UNKNOWN = Polarity.FILM, Polarity.DIGITAL, Polarity.UNKNOWN


def test_a_stated_polarity_counts_for_what_came_with_the_image_and_looks_like_it() -> None:
    worklist = Worklist()
    keys = [worklist.expect(f"{n}.tif", UNKNOWN, batch="a") for n in range(4)]
    other, alone = worklist.expect("9.tif", UNKNOWN, batch="b"), worklist.expect("8.tif", FILM)
    looks = dict.fromkeys((*keys, other, alone), UNKNOWN) | {keys[3]: FILM}
    assert worklist.state_polarity(keys[0], DIGITAL, looks, leave=[keys[2]]) == (keys[0], keys[1])
    told = [worklist.get(key).polarity for key in (*keys, other, alone)]
    assert told == [DIGITAL, DIGITAL, UNKNOWN, UNKNOWN, UNKNOWN, FILM]
    assert worklist.state_polarity("gone", FILM, {}) == ()


def test_an_answer_waits_for_images_that_nobody_looked_at_yet() -> None:
    worklist = Worklist()
    first, alike, unsure, film, alone = (worklist.expect("a.tif", UNKNOWN, batch=one) for one in "aaaab")
    assert worklist.state_polarity(first, DIGITAL, {first: DIGITAL}) == (first,)
    asked = {alike: DIGITAL, unsure: UNKNOWN, film: FILM, alone: DIGITAL}
    assert worklist.answer_alike(asked) == {alike: DIGITAL}
    assert [worklist.get(one).polarity for one in (alike, unsure)] == [DIGITAL, UNKNOWN]


def test_an_answer_that_the_image_contradicts_counts_for_those_that_look_alike() -> None:
    worklist = Worklist()
    first, alike, unsure = (worklist.expect("a.tif", UNKNOWN, batch="a") for _ in range(3))
    worklist.state_polarity(first, FILM, {first: DIGITAL})
    assert worklist.answer_alike({alike: DIGITAL, unsure: UNKNOWN}) == {alike: FILM}


def test_what_is_stated_otherwise_in_the_batch_stays() -> None:
    worklist = Worklist()
    first, other = (worklist.expect("a.tif", one, batch="a") for one in (FILM, DIGITAL))
    assert worklist.state_polarity(first, DIGITAL, {first: FILM, other: FILM}) == (first,)
    assert worklist.get(other).polarity is DIGITAL


def test_images_without_a_batch_are_stated_one_by_one() -> None:
    worklist = Worklist()
    first, second = (worklist.expect("a.tif", UNKNOWN) for _ in range(2))
    assert worklist.state_polarity(first, FILM, {first: UNKNOWN, second: UNKNOWN}) == (first,)
    assert worklist.answer_alike({second: UNKNOWN}) == {}
    assert worklist.get(second).polarity is UNKNOWN
