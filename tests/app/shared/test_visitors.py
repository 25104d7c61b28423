"""Who is behind the cookies of a request."""

import pytest

from app.shared.guest_tokens import COOKIE
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE, guest_identity, identity_of
from core.domain.accounts import Role
from tests.app.people import PASSWORD, add_user, session_token_of
from tests.workplace import close_workplace, make_workplace


def test_a_session_cookie_is_its_user_with_the_role_of_now(workplace: Resources) -> None:
    user = add_user(workplace, "inspector")
    cookies = {SESSION_COOKIE: session_token_of(workplace, "inspector")}
    identity = identity_of(cookies)
    assert identity is not None
    assert (identity.user_id, identity.role) == (user.user_id, Role.INSPECTOR)
    with workplace.services.store.write() as work:
        work.users.set_role(user.user_id, Role.REVIEWER)
    identity = identity_of(cookies)
    assert identity is not None
    assert identity.role is Role.REVIEWER


def test_a_guest_cookie_is_a_guest_whose_id_does_not_tell_the_cookie(workplace: Resources) -> None:
    token = workplace.tokens.issue()
    identity = identity_of({COOKIE: token})
    assert identity is not None
    assert identity.is_guest
    assert identity.user_id == guest_identity(str(workplace.tokens.guest_of(token))).user_id
    assert token.partition(".")[0] not in identity.user_id


def test_an_ended_session_is_nobody_even_beside_a_guest_cookie(workplace: Resources) -> None:
    add_user(workplace, "inspector")
    token = session_token_of(workplace, "inspector")
    workplace.services.signing_in.sign_out(token)
    assert identity_of({SESSION_COOKIE: token, COOKIE: workplace.tokens.issue()}) is None


@pytest.mark.parametrize("cookies", [{}, {COOKIE: "x"}, {SESSION_COOKIE: "x"}, {SESSION_COOKIE: ""}])
def test_what_is_not_ours_is_nobody(workplace: Resources, cookies: dict[str, str]) -> None:
    assert identity_of(cookies) is None


def test_outside_of_the_demo_a_guest_cookie_is_nobody(tmp_path: object) -> None:
    from app.shared.resources import forget_resources, use_resources

    held = make_workplace(tmp_path, is_demo=False)
    use_resources(held)
    try:
        assert identity_of({COOKIE: held.tokens.issue()}) is None
    finally:
        forget_resources()
        close_workplace(held)


def test_the_password_of_the_tests_is_one_that_the_rules_allow() -> None:
    from core.services.accounts.passwords import require_strong

    require_strong(PASSWORD)
