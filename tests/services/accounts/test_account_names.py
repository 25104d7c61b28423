import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import BadInputError
from core.services.accounts.account_rules import account_name, person_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ab", "ab"),
        ("  A.Inspector ", "a.inspector"),
        ("second_shift-2@plant.example", "second_shift-2@plant.example"),
        ("x" * 64, "x" * 64),
    ],
)
def test_a_sign_in_name_is_plain_and_lower_case(typed: str, name: str) -> None:
    assert account_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "x" * 65,
        "two words",
        ".ab",
        "ab.",
        "a/b",
        "a\nb",
        "a\0b",
        "prüfer",
        "аdmin",
        "a\u202eb",
        "😀😀",
    ],
)
def test_other_names_are_refused_without_echoing_what_a_terminal_would_obey(typed: str) -> None:
    with pytest.raises(BadInputError, match="2 to 64 plain letters") as refused:
        account_name(typed)
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()


@pytest.mark.parametrize("typed", ["guest", "System", "command-line"])
def test_names_of_those_without_an_account_are_refused(typed: str) -> None:
    with pytest.raises(BadInputError, match="without an account"):
        account_name(typed)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  First   Second ", "First Second"),
        ("Zoe\u0308 M\u00fcller-O'Neill", "Zo\u00eb M\u00fcller-O'Neill"),
        ("検査員", "検査員"),
        ("x" * 128, "x" * 128),
    ],
)
def test_a_full_name_may_be_in_any_script(typed: str, name: str) -> None:
    assert person_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 129,
        "a\nb",
        "a\tb",
        "a\x1b[31mb",
        "a\u202eb",
        "a\u2066b",
        "\ud800a",
        "...",
        "a\u2028b",
    ],
)
def test_a_full_name_holds_nothing_that_cannot_be_printed(typed: str) -> None:
    with pytest.raises(BadInputError, match="full name"):
        person_name(typed)


@given(st.text(max_size=140))
def test_what_is_accepted_is_accepted_again_unchanged(typed: str) -> None:
    for clean in (account_name, person_name):
        try:
            name = clean(typed)
        except BadInputError:
            continue
        assert clean(name) == name
