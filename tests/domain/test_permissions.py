import pytest

from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity, Role, User
from core.domain.errors import NotAllowedError
from core.domain.permissions import Action, may, require
from tests.permitted import ACTIONS
from tests.services.recording import START


def somebody(role: Role, **more: bool) -> Identity:
    return Identity("u-0", "somebody", role, **more)


def test_every_action_is_somebodys() -> None:
    assert {action.value for action in Action} == set(ACTIONS)
    assert all(ACTIONS.values())


@pytest.mark.parametrize("action", Action)
def test_an_action_is_open_to_whom_the_manual_says_and_to_nobody_else(action: Action) -> None:
    for role in Role:
        assert may(role, action) == (role in ACTIONS[action.value])
        if role in ACTIONS[action.value]:
            require(somebody(role), action)
        else:
            with pytest.raises(NotAllowedError, match=f"{role.label} may not {action.value}"):
                require(somebody(role), action)


@pytest.mark.parametrize("action", Action)
def test_only_the_password_can_be_changed_before_it_was(action: Action) -> None:
    for role in ACTIONS[action.value]:
        if action is Action.PASSWORD_CHANGE:
            require(somebody(role, must_change_password=True), action)
        else:
            with pytest.raises(NotAllowedError, match="change your password first"):
                require(somebody(role, must_change_password=True), action)


@pytest.mark.parametrize("action", [Action.USERS_MANAGE, Action.AUDIT_READ])
def test_only_admins_manage_users_and_read_the_log(action: Action) -> None:
    assert {role for role in Role if may(role, action)} == {Role.ADMIN}


def test_a_guest_changes_nothing_that_outlives_the_demo() -> None:
    assert not any(
        may(Role.GUEST, action)
        for action in (Action.REVIEWS_ADD, Action.SIGNATURES_ADD, Action.PASSWORD_CHANGE, Action.USERS_MANAGE)
    )


def test_commands_and_the_product_have_no_account() -> None:
    assert COMMAND_LINE.account_id is None
    assert SYSTEM.account_id is None
    assert somebody(Role.INSPECTOR).account_id == "u-0"


@pytest.mark.parametrize(
    ("name", "is_active", "state", "shown"),
    [
        ("a.inspector", True, "active", "a.inspector"),
        ("a.inspector", False, "disabled", "a.inspector"),
        (None, False, "erased", "erased user u-0"),
    ],
)
def test_an_account_says_what_is_left_of_it(
    name: str | None, is_active: bool, state: str, shown: str
) -> None:
    user = User("u-0", name, name, Role.INSPECTOR, is_active, False, 1, START)
    assert (user.state, user.shown_name) == (state, shown)


@pytest.mark.parametrize("nobody", [COMMAND_LINE, SYSTEM])
def test_a_command_does_what_needs_no_person(nobody: Identity) -> None:
    personal = {
        Action.REVIEWS_ADD,
        Action.SIGNATURES_ADD,
        Action.ANNOTATIONS_SAVE,
        Action.QUEUE_WORK,
        Action.NOTES_WRITE,
        Action.LABELLING_SEND,
        Action.MODELS_CONSENT,
        Action.PASSWORD_CHANGE,
    }
    for action in Action:
        if action in personal:
            with pytest.raises(NotAllowedError, match="a person must"):
                require(nobody, action)
        else:
            require(nobody, action)
