"""Whatever somebody without the key does to a log, verifying finds it and names the row."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.audit.chain import anchor_of, head_of, seal
from core.audit.findings import FindingKind, Verification
from core.audit.verification import verify
from tests.audit.chains import (
    RING,
    START,
    exchanged,
    exchanged_payloads,
    make_chain,
    make_event,
    newest,
    rehashed,
    renumbered,
)

CHAIN = make_chain(90)
CHANGES = {
    "event_id": "f" * 32,
    "at": START - timedelta(days=1),
    "actor_id": "u-somebody-else",
    "action": "user.added",
    "object_type": "user",
    "object_id": "i-0",
    "before_hash": "a" * 64,
    "after_hash": "b" * 64,
    "request_id": "r-1",
    "details": {"version": 0},
    "previous_hash": "c" * 64,
    "hash": "d" * 64,
    "seal": "e" * 64,
}
unhurried = settings(deadline=None)  # a busy machine is no failure
lengths = st.integers(1, len(CHAIN))


def check(rows, head, anchors=()) -> Verification:
    return verify(sorted(rows, key=lambda row: row.seq), head, anchors, RING)


def named(verification: Verification) -> set[tuple[FindingKind, int]]:
    """Kind and place of every finding, one for each row of a run."""
    return {(f.kind, seq) for f in verification.findings for seq in range(f.seq, f.last_seq + 1)}


@unhurried
@given(lengths)
def test_an_untouched_chain_has_no_finding(n):
    result = check(CHAIN[:n], newest(CHAIN[:n]), [anchor_of(newest(CHAIN[:n]), START, RING)])
    assert result.is_whole
    assert (result.n_events, result.findings) == (n, ())
    assert result.newest.seq == result.anchor.seq == n


@unhurried
@given(st.data(), lengths, st.sampled_from(sorted(CHANGES)))
def test_a_changed_field_names_its_row_and_no_other(data, n, field):
    rows = CHAIN[:n]
    k = data.draw(st.integers(0, n - 1))
    rows[k] = replace(rows[k], **{field: CHANGES[field]})
    result = check(rows, newest(CHAIN[:n]))
    assert named(result) == {(FindingKind.CHANGED, k + 1)}
    assert result.findings[0].event_id == rows[k].event_id


@unhurried
@given(st.data(), lengths, st.booleans())
def test_a_change_whose_hash_was_computed_anew_is_named(data, n, with_all_that_follow):
    rows = CHAIN[:n]
    k = data.draw(st.integers(0, n - 1))
    rows[k] = replace(rows[k], object_id="i-0")
    rows[k] = replace(rows[k], hash=rows[k].content_hash())
    if with_all_that_follow:
        rows = rehashed(rows)
    result = check(rows, newest(CHAIN[:n]))
    last = n if with_all_that_follow else k + 1
    assert named(result) == {(FindingKind.CHANGED, seq) for seq in range(k + 1, last + 1)}


@unhurried
@given(st.data(), lengths)
def test_another_key_is_named_with_its_row(data, n):
    rows = CHAIN[:n]
    k = data.draw(st.integers(0, n - 1))
    rows[k] = replace(rows[k], key_id="00000000")
    assert named(check(rows, newest(CHAIN[:n]))) == {(FindingKind.UNKNOWN_KEY, k + 1)}


@unhurried
@given(st.data(), lengths, st.integers(1, 5))
def test_removed_rows_are_named_the_first_and_the_newest_too(data, n, n_removed):
    k = data.draw(st.integers(0, n - 1))
    rows = CHAIN[:k] + CHAIN[:n][k + n_removed :]
    result = check(rows, newest(CHAIN[:n]))
    gone = range(k + 1, min(k + n_removed, n) + 1)
    assert named(result) == {(FindingKind.REMOVED, seq) for seq in gone}
    assert len(result.findings) == 1


@unhurried
@given(st.data(), lengths, st.booleans())
def test_a_removed_row_is_named_although_the_others_were_renumbered(data, n, with_new_hashes):
    k = data.draw(st.integers(0, n - 1))
    rows = renumbered(CHAIN[:k] + CHAIN[k + 1 : n])
    rest = FindingKind.REORDERED
    if with_new_hashes:
        rows, rest = rehashed(rows), FindingKind.CHANGED
    result = check(rows, newest(CHAIN[:n]))
    assert named(result) == {(FindingKind.REMOVED, k + 1)} | {(rest, seq) for seq in range(k + 1, n)}


@unhurried
@given(st.data(), lengths, st.booleans())
def test_an_inserted_row_is_named_although_the_others_were_renumbered(data, n, with_new_hashes):
    k = data.draw(st.integers(0, n))
    foreign = replace(CHAIN[max(k - 1, 0)], event_id="f" * 32, object_id="i-0")
    rows = renumbered([*CHAIN[:k], foreign, *CHAIN[k:n]])
    if with_new_hashes:
        rows = rehashed(rows)
    result = check(rows, newest(CHAIN[:n]))
    moved = {(FindingKind.REORDERED, seq) for seq in range(k + 2, n + 2)}
    assert named(result) == {(FindingKind.INSERTED, k + 1)} | moved


@unhurried
@given(st.data(), lengths, st.booleans())
def test_a_copied_row_is_named(data, n, is_own_place):
    k = data.draw(st.integers(0, n - 1))
    copy = CHAIN[k] if is_own_place else replace(CHAIN[k], seq=n + 1)
    result = check([*CHAIN[:n], copy], newest(CHAIN[:n]))
    assert named(result) == {(FindingKind.INSERTED, copy.seq)}
    if n - k < 60:
        assert f"copy of event {k + 1}" in result.findings[0].sentence


@unhurried
@given(st.data(), st.integers(2, len(CHAIN)), st.sampled_from([exchanged, exchanged_payloads]))
def test_two_exchanged_rows_are_both_named(data, n, exchange):
    a = data.draw(st.integers(0, n - 2))
    b = data.draw(st.integers(a + 1, n - 1))
    result = check(exchange(CHAIN[:n], a, b), newest(CHAIN[:n]))
    assert named(result) == {(FindingKind.REORDERED, a + 1), (FindingKind.REORDERED, b + 1)}
    assert f"as event {b + 1}" in result.findings[0].sentence
    assert f"as event {a + 1}" in result.findings[1].sentence


@unhurried
@given(st.data(), st.integers(2, len(CHAIN)))
def test_two_exchanged_rows_hashed_anew_are_both_named(data, n):
    a = data.draw(st.integers(0, n - 2))
    b = data.draw(st.integers(a + 1, n - 1))
    result = check(rehashed(exchanged(CHAIN[:n], a, b)), newest(CHAIN[:n]))
    assert {a + 1, b + 1} <= {seq for _, seq in named(result)}
    assert min(seq for _, seq in named(result)) == a + 1


@unhurried
@given(st.data(), lengths, st.integers(-5, 10**6))
def test_a_row_with_another_number_is_named(data, n, number):
    assume(not 1 <= number <= n)
    rows = CHAIN[:n]
    k = data.draw(st.integers(0, n - 1))
    rows[k] = replace(rows[k], seq=number)
    result = check(rows, newest(CHAIN[:n]))
    assert named(result) == {(FindingKind.REORDERED, number)}
    assert f"as event {k + 1}" in result.findings[0].sentence


@unhurried
@given(st.data(), lengths)
def test_a_log_cut_short_together_with_its_head_is_found_through_an_anchor(data, n):
    k = data.draw(st.integers(0, n - 1))
    anchors = [anchor_of(newest(CHAIN[:m]), START, RING) for m in {1, k, n} if m]
    result = check(CHAIN[:k], newest(CHAIN[:k]), anchors)
    assert named(result) == {(FindingKind.ROLLED_BACK, seq) for seq in range(k + 1, n + 1)}


@unhurried
@given(st.data(), st.integers(2, len(CHAIN)))
def test_a_log_put_back_and_continued_is_found_through_an_anchor(data, n):
    k = data.draw(st.integers(1, n - 1))
    rows = CHAIN[:k]
    while len(rows) < n:
        rows.append(seal(make_event(1000 + len(rows)), newest(rows), RING))
    result = check(rows, head_of(rows[-1], RING), [anchor_of(newest(CHAIN[:n]), START, RING)])
    assert named(result) == {(FindingKind.ROLLED_BACK, n)}


@settings(unhurried, max_examples=200)
@given(st.data(), st.integers(5, 30), st.integers(2, 4))
def test_several_acts_at_once_are_never_missed(data, n, n_acts):
    rows = CHAIN[:n]
    for _ in range(n_acts):
        k = data.draw(st.integers(0, len(rows) - 1))
        act = data.draw(st.sampled_from(["change", "remove", "insert", "exchange", "renumber", "rehash"]))
        if act == "change":
            field = data.draw(st.sampled_from(sorted(CHANGES)))
            rows[k] = replace(rows[k], **{field: CHANGES[field]})
        elif act == "remove" and len(rows) > 1:
            del rows[k]
        elif act == "insert":
            rows.insert(k, replace(rows[k], event_id="f" * 32))
        elif act == "exchange":
            rows = exchanged(rows, k, 0)
        elif act == "renumber":
            rows = renumbered(rows)
        else:
            rows = rehashed(rows)
    result = check(rows, newest(CHAIN[:n]))
    assert result.is_whole == (sorted(rows, key=lambda row: row.seq) == CHAIN[:n])
