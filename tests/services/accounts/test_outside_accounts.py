"""People whom an identity provider vouches for, on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine

from core.domain.accounts import Role
from core.domain.errors import SignInRefusedError
from core.services.accounts.outside_accounts import OutsideAccounts, role_of, subject_of
from core.store.unit_of_work import Store
from tests.services.recording import Clock, Recorded, add_user, recording_store

ROLES = {"qc-admins": Role.ADMIN, "qc-film": Role.INSPECTOR}
CLAIMS = {
    "iss": "https://id.example",
    "sub": "4711",
    "preferred_username": "F.Person",
    "name": "First Person",
    "email": "f.person@example.com",
    "roles": ["staff", "qc-film"],
}


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def store(engine: Engine, recorded: Recorded) -> Store:
    return recording_store(engine, Clock(), recorded)


@pytest.fixture
def outside(store: Store) -> OutsideAccounts:
    return OutsideAccounts(store, role_claim="roles", roles=ROLES)


def test_the_first_sign_in_makes_an_account_and_the_next_finds_it(
    outside: OutsideAccounts, recorded: Recorded
) -> None:
    user = outside.account_of(CLAIMS)
    assert (user.name, user.full_name, user.role) == ("f.person", "First Person", Role.INSPECTOR)
    assert not user.must_change_password
    assert outside.account_of({**CLAIMS, "name": "Now Married", "preferred_username": "other"}) == user
    assert recorded.actions() == ["user.added"]


def test_the_role_follows_the_claims_at_each_sign_in(outside: OutsideAccounts, recorded: Recorded) -> None:
    user = outside.account_of(CLAIMS)
    changed = outside.account_of({**CLAIMS, "roles": ["qc-film", "qc-admins"]})
    assert (changed.user_id, changed.role) == (user.user_id, Role.ADMIN)
    assert recorded.actions() == ["user.added", "user.role_changed"]


@pytest.mark.parametrize("roles", [None, [], ["staff"], "staff", {"qc-film": True}, 7, [["qc-film"]]])
def test_without_a_role_nobody_gets_in_and_no_account_is_made(
    outside: OutsideAccounts, recorded: Recorded, roles: Any
) -> None:
    with pytest.raises(SignInRefusedError, match="no role here"):
        outside.account_of({**CLAIMS, "roles": roles})
    assert not recorded.events


def test_who_lost_the_role_is_refused_although_there_is_an_account(outside: OutsideAccounts) -> None:
    outside.account_of(CLAIMS)
    with pytest.raises(SignInRefusedError, match="no role here"):
        outside.account_of({**CLAIMS, "roles": ["staff"]})


def test_a_name_that_is_taken_is_never_somebody_elses_account(outside: OutsideAccounts, store: Store) -> None:
    local = add_user(store, "f.person", "three pores in 4 welds", Role.ADMIN)
    user = outside.account_of(CLAIMS)
    assert user.user_id != local.user_id
    assert user.name == "f.person@example.com"
    again = outside.account_of({**CLAIMS, "sub": "4712"})
    assert again.name == "4712"
    assert outside.account_of({**CLAIMS, "sub": "x"}).name == "f.person-2"


def test_the_same_subject_of_another_issuer_is_another_person(outside: OutsideAccounts) -> None:
    one = outside.account_of(CLAIMS)
    two = outside.account_of({**CLAIMS, "iss": "https://other.example"})
    assert one.user_id != two.user_id


@pytest.mark.parametrize("missing", ["iss", "sub"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_claims_that_name_nobody_are_refused(outside: OutsideAccounts, missing: str, value: Any) -> None:
    with pytest.raises(SignInRefusedError, match="who you are"):
        outside.account_of({**CLAIMS, missing: value})


def test_a_disabled_account_stays_out_and_keeps_its_role(outside: OutsideAccounts, store: Store) -> None:
    user = outside.account_of(CLAIMS)
    with store.write() as work:
        work.users.set_active(user.user_id, False)
    with pytest.raises(SignInRefusedError, match="disabled"):
        outside.account_of({**CLAIMS, "roles": "qc-admins"})


def test_claims_without_a_usable_name_still_make_an_account(outside: OutsideAccounts) -> None:
    user = outside.account_of(
        {"iss": "https://id.example", "sub": "a|b c", "roles": "qc-film", "name": "\u202e"}
    )
    assert user.name == f"person-{subject_of({'iss': 'https://id.example', 'sub': 'a|b c'})[:8]}"
    assert user.full_name == user.name


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"roles": "qc-film"}, "roles"),
        ({"realm_access": {"roles": ["qc-film"]}}, "realm_access.roles"),
        ({"https://qc.example/roles": ["qc-film"]}, "https://qc.example/roles"),
    ],
)
def test_the_claim_may_be_text_a_list_nested_or_an_address(claims: dict[str, Any], claim: str) -> None:
    assert role_of(claims, claim, ROLES) is Role.INSPECTOR


def test_issuer_and_subject_cannot_be_shifted_into_each_other() -> None:
    assert subject_of({"iss": "ab", "sub": "c"}) != subject_of({"iss": "a", "sub": "bc"})
