from core.store.recent import KEPT_S, Recent


def test_a_value_is_read_again_after_a_while_or_once_something_was_written() -> None:
    now, stored, n_read = [0.0], ["a"], [0]

    def read(_: str) -> str:
        n_read[0] += 1
        return stored[0]

    recent = Recent(read, clock=lambda: now[0])
    assert [recent.get("key"), recent.get("key")] == ["a", "a"]
    assert n_read == [1]
    stored[0] = "b"
    now[0] = KEPT_S - 0.1
    assert recent.get("key") == "a"
    now[0] = KEPT_S
    assert recent.get("key") == "b"
    stored[0] = "c"
    recent.forget()
    assert recent.get("key") == "c"


def test_what_was_being_read_while_something_was_written_is_not_kept() -> None:
    stored = ["old"]

    def read(_: str) -> str:
        value = stored[0]
        if value == "old":
            stored[0] = "new"
            recent.forget()  # another thread writes just then
        return value

    recent = Recent(read)
    assert recent.get("key") == "old"
    assert recent.get("key") == "new"
