"""Who looks at which image now."""

from app.shared.presence import GONE_AFTER_S, Presence


def test_people_at_one_place_see_each_other_until_they_leave() -> None:
    now = [0.0]
    presence = Presence(clock=lambda: now[0])
    assert presence.at("a", "u1", "One") == ()
    assert presence.at("a", "u2", "Two") == ("One",)
    assert presence.at("a", "u1", "One") == ("Two",)
    assert presence.at("b", "u1", "One") == ()  # one person is at one place
    assert presence.at("a", "u2", "Two") == ()
    presence.at("a", "u3", "Three")
    now[0] += GONE_AFTER_S
    assert presence.at("a", "u2", "Two") == ("Three",)
    now[0] += 0.1
    assert presence.at("a", "u2", "Two") == ()


def test_nothing_is_kept_of_places_that_everybody_left() -> None:
    now = [0.0]
    presence = Presence(clock=lambda: now[0])
    for n in range(50):
        presence.at(n, f"u{n}", "x")
    now[0] += 2 * GONE_AFTER_S
    presence.at("here", "u", "x")
    assert list(presence._seen) == ["here"]
