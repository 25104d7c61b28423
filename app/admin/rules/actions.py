"""Changes of acceptance tables. Only from callbacks."""

import re
from datetime import UTC, datetime

from app.admin.rules import state
from app.admin.rules.state import Draft
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.errors import WorkbenchError
from core.services.inspections.rule_editing import RuleSetEditingService, RuleSetVersion


@acting
def copy_as_new(version: RuleSetVersion) -> None:
    """Begin a table of one's own with the text of this one."""
    rule_set_id = state.typed_id()
    known = {one.rule_set.rule_set_id for one in _rules().tables(current_identity())}
    if not rule_set_id or rule_set_id in known:
        told = f"there is a table {rule_set_id} already" if rule_set_id else "say an id first"
        state.rules_state().said = told
        return
    text = version.rule_set.text
    for name, value in (("id", rule_set_id), ("version", '"1"'), ("title", f"{rule_set_id} (copy)")):
        text = re.sub(rf"(?m)^{name}:.*$", f"{name}: {value}", text, count=1)
    state.put(rule_set_id, Draft(text, 0, is_new=True))
    state.go_to(rule_set_id, state.EDIT)


@acting
def save(rule_set_id: str, based_on: int) -> None:
    """Save the text in the editor as the next version; a refusal is told beside the editor."""
    remembered, text = state.rules_state(), state.typed_draft(rule_set_id, based_on)
    try:
        saved = _rules().save(current_identity(), rule_set_id, text, expected_version=based_on)
    except WorkbenchError as error:
        remembered.refused, remembered.said = str(error).removeprefix("the table: "), ""
        return
    state.discard(rule_set_id)
    state.go_to(rule_set_id)
    now = datetime.now(UTC)
    remembered.said = f"saved {now:%H:%M:%S} UTC as version {saved.number}; verdicts use it from now on"


def _rules() -> RuleSetEditingService:
    return resources().services.workspace.rules
