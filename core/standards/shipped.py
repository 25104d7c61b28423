"""The rule sets that come with the program."""

from importlib import resources

from core.domain.errors import BadInputError
from core.standards.reading import read_rule_set
from core.standards.rule_set import RuleSet

#: Ids of the rule sets, in the order in which they are offered; each is a file of `core/standards/rules`.
SHIPPED: tuple[str, ...] = (
    "iso-5817",
    "api-1104",
    "asme-viii-1-uw-51",
    "iso-10675-1",
    "castings-1-8",
    "castings-1-5",
    "castings-1-4",
)


def shipped_rule_set(rule_set_id: str) -> RuleSet:
    """The rule set as it is shipped.

    Raises:
        BadInputError: none of that id is shipped.
        RuleSetError: the installed file was changed and cannot be used.
    """
    if rule_set_id not in SHIPPED:
        raise BadInputError(f"no rule set {rule_set_id!r} is shipped: expected one of {', '.join(SHIPPED)}")
    name = f"{rule_set_id}.yaml"
    text = resources.files("core.standards").joinpath("rules", name).read_text(encoding="utf-8")
    return read_rule_set(text, name)
