"""Permissions by role, as one table that services and pages read."""

from enum import StrEnum

from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity, Role
from core.domain.api_keys import Scope
from core.domain.errors import NotAllowedError

_INSPECTOR, _REVIEWER, _ANNOTATOR = Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR
_ML_ENGINEER, _ADMIN, _GUEST = Role.ML_ENGINEER, Role.ADMIN, Role.GUEST


class Action(StrEnum):
    """Actions of the services; the value is the wording of the manual."""

    IMAGES_ADD = "hand in radiographs"
    IMAGES_READ = "look at radiographs"
    INSPECTIONS_RECORD = "have a radiograph inspected"
    INSPECTIONS_READ = "look at inspections"
    INSPECTIONS_DECIDE = "set a disposition"
    REVIEWS_ADD = "review another person's inspection"
    SIGNATURES_ADD = "sign"
    ANNOTATIONS_READ = "look at annotations"
    ANNOTATIONS_SAVE = "save annotations"
    CLASSES_READ = "look at own classes of labels"
    CLASSES_MANAGE = "add and change own classes of labels"
    QUEUE_WORK = "work through the queue of corrections"
    DATA_READ = "look at data versions"
    DATA_MAKE = "make data versions"
    JOBS_READ = "look at long jobs"
    JOBS_MANAGE = "start, stop and resume long jobs"
    EVALUATIONS_READ = "compare model versions"
    EVALUATIONS_MANAGE = "measure model versions, add evaluation sets"
    NOTES_WRITE = "write notes on images"
    LABELLING_SEND = "send images of a comparison to labelling"
    MODELS_READ = "look at model versions and what served when"
    MODELS_PROMOTE = "promote and roll back model versions"
    MODELS_CONSENT = "consent to a promotion that the gate refused"
    MODELS_QUALIFY = "record and withdraw a qualification of a model version"
    DRIFT_ACKNOWLEDGE = "acknowledge a drift alarm"
    RULES_READ = "look at acceptance rules"
    RULES_MANAGE = "change acceptance rules"
    PASSWORD_CHANGE = "change one's own password"
    USERS_MANAGE = "add, disable, erase users; set roles and passwords"
    API_KEYS_MANAGE = "add, list and revoke API keys"
    AUDIT_READ = "read, verify and export the audit log"
    HEALTH_READ = "look at the state of the installation"


#: Guests act in their own throw-away workspace only.
PERMISSIONS: dict[Action, frozenset[Role]] = {
    Action.IMAGES_ADD: frozenset({_INSPECTOR, _REVIEWER, _ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.IMAGES_READ: frozenset({_INSPECTOR, _REVIEWER, _ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.INSPECTIONS_RECORD: frozenset({_INSPECTOR, _REVIEWER, _GUEST}),
    Action.INSPECTIONS_READ: frozenset({_INSPECTOR, _REVIEWER, _ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.INSPECTIONS_DECIDE: frozenset({_INSPECTOR, _REVIEWER, _GUEST}),
    Action.REVIEWS_ADD: frozenset({_REVIEWER}),
    Action.SIGNATURES_ADD: frozenset({_INSPECTOR, _REVIEWER}),
    Action.ANNOTATIONS_READ: frozenset({_INSPECTOR, _REVIEWER, _ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.ANNOTATIONS_SAVE: frozenset({_INSPECTOR, _REVIEWER, _ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.CLASSES_READ: frozenset(Role),
    Action.CLASSES_MANAGE: frozenset({_ADMIN}),
    Action.QUEUE_WORK: frozenset({_ANNOTATOR, _ML_ENGINEER, _GUEST}),
    Action.DATA_READ: frozenset({_REVIEWER, _ANNOTATOR, _ML_ENGINEER}),
    Action.DATA_MAKE: frozenset({_ML_ENGINEER}),
    Action.JOBS_READ: frozenset({_REVIEWER, _ANNOTATOR, _ML_ENGINEER, _ADMIN}),
    Action.JOBS_MANAGE: frozenset({_ML_ENGINEER, _ADMIN}),
    Action.EVALUATIONS_READ: frozenset({_REVIEWER, _ML_ENGINEER}),
    Action.EVALUATIONS_MANAGE: frozenset({_ML_ENGINEER}),
    Action.NOTES_WRITE: frozenset({_REVIEWER, _ML_ENGINEER}),
    Action.LABELLING_SEND: frozenset({_REVIEWER, _ML_ENGINEER}),
    Action.MODELS_READ: frozenset({_REVIEWER, _ML_ENGINEER, _ADMIN}),
    Action.MODELS_PROMOTE: frozenset({_ML_ENGINEER}),
    Action.MODELS_CONSENT: frozenset({_REVIEWER, _ML_ENGINEER, _ADMIN}),
    Action.MODELS_QUALIFY: frozenset({_REVIEWER, _ADMIN}),
    Action.DRIFT_ACKNOWLEDGE: frozenset({_REVIEWER, _ML_ENGINEER}),
    Action.RULES_READ: frozenset(Role) - {_GUEST},
    Action.RULES_MANAGE: frozenset({_ADMIN}),
    Action.PASSWORD_CHANGE: frozenset(Role) - {_GUEST},
    Action.USERS_MANAGE: frozenset({_ADMIN}),
    Action.API_KEYS_MANAGE: frozenset({_ADMIN}),
    Action.AUDIT_READ: frozenset({_ADMIN}),
    Action.HEALTH_READ: frozenset({_ADMIN}),
}


#: Actions that an API key of a scope may do, where the role of its account may; nothing else is possible with
#: a key: it neither signs nor reviews, and manages no account.
SCOPE_ACTIONS: dict[Scope, frozenset[Action]] = {
    Scope.READ: frozenset(
        {
            Action.IMAGES_READ,
            Action.INSPECTIONS_READ,
            Action.ANNOTATIONS_READ,
            Action.CLASSES_READ,
            Action.DATA_READ,
            Action.JOBS_READ,
            Action.EVALUATIONS_READ,
            Action.MODELS_READ,
            Action.RULES_READ,
        }
    ),
    Scope.DETECT: frozenset({Action.IMAGES_ADD, Action.INSPECTIONS_RECORD}),
    Scope.LABEL: frozenset({Action.ANNOTATIONS_READ, Action.ANNOTATIONS_SAVE, Action.CLASSES_READ}),
    Scope.PROMOTE: frozenset({Action.MODELS_READ, Action.MODELS_PROMOTE}),
    Scope.ADMIN: frozenset({Action.JOBS_READ, Action.JOBS_MANAGE}),
}
#: Actions of people alone, never of a command on the server.
_PERSONAL = frozenset(
    {
        Action.REVIEWS_ADD,
        Action.SIGNATURES_ADD,
        Action.ANNOTATIONS_SAVE,
        Action.QUEUE_WORK,
        Action.NOTES_WRITE,
        Action.LABELLING_SEND,
        Action.MODELS_CONSENT,
        Action.PASSWORD_CHANGE,
    }
)


def may(role: Role, action: Action) -> bool:
    """True when somebody of this role may do it."""
    return role in PERMISSIONS[action]


def require(identity: Identity, action: Action) -> None:
    """Return when `identity` may do it. A command on the server may do all that needs no person.

    Raises:
        NotAllowedError: the role may not, or the password must be changed first.
    """
    if identity.user_id in (COMMAND_LINE.user_id, SYSTEM.user_id):
        if action in _PERSONAL:
            raise NotAllowedError(f"a command may not {action.value}: a person must")
        return
    if identity.must_change_password and action is not Action.PASSWORD_CHANGE:
        raise NotAllowedError("change your password first; nothing else is possible until then")
    if identity.scopes is not None and not any(action in SCOPE_ACTIONS[one] for one in identity.scopes):
        raise NotAllowedError(f"the scopes of this API key do not cover it: {action.value}")
    if not may(identity.role, action):
        raise NotAllowedError(f"the role {identity.role.label} may not {action.value}")
