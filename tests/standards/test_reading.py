"""A rule file is refused with one line that names the file, the rule and what was expected."""

import hashlib
from dataclasses import FrozenInstanceError

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.errors import BadInputError, RuleSetError
from core.standards.reading import read_rule_set
from core.standards.shipped import SHIPPED, shipped_rule_set

GOOD = """\
id: mine
version: "1"
title: My table
standard: My standard
edition: unknown
source: secondary copy
verified: false
levels:
  - {id: B, title: strict}
  - {id: C, title: lax}
rules:
  - id: pore
    title: pore
    kinds: ["2011"]
    clause: "1"
    levels:
      B: [{check: size, measure: diameter, at_most: {times: 0.2, of: s, max_mm: 3}}]
      C: [{check: size, measure: diameter, at_most: {times: 0.3, of: s, max_mm: 4}}]
"""


def refusal(text: str) -> str:
    with pytest.raises(RuleSetError) as caught:
        read_rule_set(text, "mine.yaml")
    message = str(caught.value)
    assert message.startswith("mine.yaml")
    assert "\n" not in message
    return message


def test_a_good_file_is_read() -> None:
    rule_set = read_rule_set(GOOD, "mine.yaml")
    assert (rule_set.rule_set_id, rule_set.version, rule_set.is_verified) == ("mine", "1", False)
    assert [level.level_id for level in rule_set.levels] == ["B", "C"]
    assert rule_set.rules[0].bands[0].requirements[0].words == "d <= 0.2 s, at most 3 mm"
    assert (rule_set.rules[0].standard, rule_set.rules[0].source) == ("My standard", "secondary copy")


def test_a_rule_set_is_known_by_its_text() -> None:
    rule_set = read_rule_set(GOOD, "mine.yaml")
    assert rule_set.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert rule_set.text == GOOD
    assert read_rule_set(GOOD.replace("\n", "\r\n"), "mine.yaml") == rule_set
    edited = read_rule_set(GOOD.replace("max_mm: 4", "max_mm: 3.5"), "mine.yaml")
    assert edited.sha256 != rule_set.sha256
    with pytest.raises(FrozenInstanceError):
        rule_set.version = "2"  # type: ignore[misc]
    assert hash(rule_set)


AT_B = "[{check: size, measure: diameter, at_most: {times: 0.2, of: s, max_mm: 3}}]"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "times: 0.2, of: s, max_mm: 3",
            "times: 0.2, max_mm: 3",
            "B: item 1: at_most: expected times and of",
        ),
        ("times: 0.2", "times: -0.2", "rule pore: levels: B: item 1: at_most: times: expected a"),
        ("times: 0.2", "times: 1/0", "a multiple above 0"),
        ("times: 0.2", "times: .nan", "a multiple above 0"),
        ("max_mm: 3}", "max_mm: .inf}", "a number of millimetres above 0"),
        ("max_mm: 3}", "max_mm: 0}", "a number of millimetres above 0"),
        ("max_mm: 3}", "max_mm: yes}", "a number of millimetres above 0"),
        ("of: s, max_mm: 3", "of: a, max_mm: 3", "expected one of 's', 't', 'weld length', got 'a'"),
        ("diameter, at_most: {times: 0.2", "girth, at_most: {times: 0.2", "expected one of 'diameter'"),
        (AT_B, "[]", "rule pore: levels: B: expected a list with at least one item"),
        (AT_B, "permitted", "rule pore: levels: B: expected a list of checks, 'not permitted', 'no"),
        (AT_B, "", "rule pore: levels: expected 'B'"),
        (
            "size, measure: diameter, at_most: {times: 0.2",
            "look, at_most: {times: 0.2",
            "expected check: one of",
        ),
        ('kinds: ["2011"]', 'kinds: ["pore"]', "rule pore: kinds: item 1: expected an ISO 6520-1 number"),
        ('kinds: ["2011"]', "kinds: []", "rule pore: kinds: expected a list"),
        ('    clause: "1"\n', "", "rule pore: expected 'clause', got nothing"),
        ('    clause: "1"\n', '    clause: "1"\n    limit: 3\n', "rule pore: unknown 'limit'"),
        ("verified: false", "verified: perhaps", "verified: expected true or false"),
        ("edition: unknown\n", "", "mine.yaml: expected 'edition'"),
        ("  - {id: C, title: lax}", "  - {id: B, title: lax}", "levels: expected a different id"),
        ("      C: [", "      D: [", "rule pore: levels: unknown 'D', expected one of B, C"),
        ("id: mine\n", "id: mine\nid: yours\n", "not YAML, line 2: found 'id' twice"),
        ("id: mine\n", "id: &a mine\ntitle: *a\n", "found an alias"),
        ("id: mine\n", "id: [\n", "not YAML, line"),
        ("title: My table", 'title: "two\\nlines"', "title: expected one line"),
        ("title: My table", "title: !!python/object:os.system {}", "not YAML"),
        ("title: My table", "title: 2020-99-99", "not YAML"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert expected in refusal(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "a: b", "[" * 5000, "{a: " * 3000, "\ud800", "x" * 300_000, "\0"]
)
def test_what_is_no_rule_file_is_refused(text: str) -> None:
    refusal(text)


def with_rule(rule: str) -> str:
    return GOOD + "\n".join(f"  {line}" for line in rule.splitlines()) + "\n"


def test_two_rules_may_not_claim_the_same_id_or_kind() -> None:
    levels = "{{B: not permitted, C: not permitted}}"
    rule = f'- id: {{}}\n  title: x\n  kinds: ["{{}}"]\n  clause: "1"\n  levels: {levels}'
    assert "rule pore: expected a different id" in refusal(with_rule(rule.format("pore", "100")))
    assert "rule other: expected one rule for 2011, pore has it" in refusal(
        with_rule(rule.format("other", "2011"))
    )
    assert len(read_rule_set(with_rule(rule.format("other", "201")), "mine.yaml").rules) == 2


BANDED = '- id: banded\n  title: x\n  kinds: ["100"]\n  clause: "1"\n  bands:\n'
BAND = "    - {up_to_mm: 3, levels: {B: not permitted, C: not permitted}}\n"
LAST = "    - levels: {B: not permitted, C: not permitted}\n"


def test_bands_leave_no_thickness_out() -> None:
    rule = read_rule_set(with_rule(BANDED + BAND + LAST), "mine.yaml").rules[1]
    assert [(band.above_mm, band.up_to_mm) for band in rule.bands] == [(0, 3), (3, float("inf"))]
    assert "a last band without up_to_mm" in refusal(with_rule(BANDED + BAND))
    assert "expected more than the 3 mm" in refusal(with_rule(BANDED + BAND + BAND + LAST))
    assert "no band after the one without up_to_mm" in refusal(with_rule(BANDED + LAST + LAST))


def size(measure: str, at_most: str) -> str:
    return f"{{check: size, measure: {measure}, at_most: {{{at_most}}}}}"


def total(window_mm: int, more: str = "") -> str:
    return f"{{check: total, within: {{max_mm: {window_mm}}}, at_most: {{max_mm: 3}}{more}}}"


def fact(otherwise: str) -> str:
    return f"{{check: fact, fact: internal, otherwise: {otherwise}}}"


@pytest.mark.parametrize(
    ("strict", "lax"),
    [
        (size("diameter", "max_mm: 4"), size("diameter", "max_mm: 3")),
        (size("diameter", "max_mm: 3"), "not permitted"),
        (size("diameter", "max_mm: 3"), "no trustworthy limits found"),
        (size("diameter", "max_mm: 3"), size("diameter", "times: 0.1, of: s")),
        (size("diameter", "times: 0.2, of: s"), size("diameter", "times: 0.3, of: t")),
        (size("width", "max_mm: 3"), size("length", "max_mm: 3")),
        (size("length", "max_mm: 3"), size("length", "max_mm: 3") + ", {check: alone}"),
        ("{check: count, at_most: 3}", "{check: count, at_most: 2}"),
        ("{check: density, at_most_percent: 4}", "{check: density, at_most_percent: 3.5}"),
        (total(300), total(100)),
        (total(100), total(100, ", shorter_weld: {times: 0.1, of: weld length}")),
        (fact("not evaluable"), fact("not acceptable")),
    ],
)
def test_a_stricter_level_that_permits_more_is_refused(strict: str, lax: str) -> None:
    rule = '- id: odd\n  title: x\n  kinds: ["515"]\n  clause: "1"\n  levels:\n    B: {}\n    C: {}'
    strict, lax = (f"[{words}]" if "check" in words else words for words in (strict, lax))
    assert "rule odd: level B permits more than level C" in refusal(with_rule(rule.format(strict, lax)))
    read_rule_set(with_rule(rule.format(strict, strict)), "mine.yaml")


@pytest.mark.parametrize("share", ["0", "101", "many"])
def test_a_density_is_a_share_in_percent(share: str) -> None:
    check = f"{{check: density, at_most_percent: {share}}}"
    levels = f"  levels:\n    B: [{check}]\n    C: [{check}]"
    rule = f'- id: odd\n  title: x\n  kinds: ["515"]\n  clause: "1"\n{levels}'
    assert "rule odd" in refusal(with_rule(rule))


def test_levels_are_compared_across_one_without_limits() -> None:
    text = GOOD.replace("  - {id: C, title: lax}", "  - {id: C, title: lax}\n  - {id: D, title: laxest}")
    text = text.replace("0.3, of: s, max_mm: 4}}]", "0.3, of: s, max_mm: 4}}]\n      D: not permitted")
    at_c = "[" + size("diameter", "times: 0.3, of: s, max_mm: 4") + "]"
    assert at_c in text
    text = text.replace(at_c, "no trustworthy limits found")
    assert "level B permits more than level" in refusal(text)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_tables_say_that_they_are_not_verified(name: str) -> None:
    rule_set = shipped_rule_set(name)
    assert rule_set.rule_set_id == name
    assert rule_set.edition == "unknown"
    assert not rule_set.is_verified
    assert any(told in rule_set.source for told in ("verify", "purchased edition", "template"))
    assert all(rule.clause and rule.standard and not rule.is_verified for rule in rule_set.rules)


def test_every_rule_file_is_shipped() -> None:
    assert [shipped_rule_set(name).rule_set_id for name in SHIPPED] == list(SHIPPED)
    with pytest.raises(BadInputError, match="expected one of iso-5817"):
        shipped_rule_set("../../secrets")


def read_or_refuse(text: str) -> None:
    """Anything but a rule set or the one error is a failure."""
    try:
        read_rule_set(text, "mine.yaml")
    except RuleSetError:
        refusal(text)


@given(st.sampled_from(SHIPPED), st.data())
@settings(deadline=None)
def test_a_damaged_file_is_read_or_refused_but_never_fails_otherwise(name: str, data: st.DataObject) -> None:
    lines = shipped_rule_set(name).text.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    others = ["", "x", "  - ", "- 1", line.replace(":", ""), line * 2, "    levels: 3"]
    lines[index] = data.draw(st.sampled_from(others))
    read_or_refuse("\n".join(lines))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("a\nb"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HEAD_KEYS = ("id", "levels", "rules", "verified", "edition", "note")
RULE_KEYS = ("id", "kinds", "clause", "levels", "bands", "when", "thickness", "copies")


@given(st.sampled_from(HEAD_KEYS), st.sampled_from(RULE_KEYS), st.booleans(), plain)
@settings(deadline=None)
@example("id", "id", True, "a\nb")
def test_any_value_in_any_place_is_read_or_refused(
    head_key: str, rule_key: str, is_in_rule: bool, value: object
) -> None:
    content = yaml.safe_load(GOOD)
    if is_in_rule:
        content["rules"][0][rule_key] = value
    else:
        content[head_key] = value
    read_or_refuse(yaml.safe_dump(content, allow_unicode=True))
