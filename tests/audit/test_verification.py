"""Head, anchors, keys, and the size of the log."""

import tracemalloc
from dataclasses import replace

import pytest

from core.audit.chain import GENESIS, Head, anchor_of, head_of, keyring, seal
from core.audit.findings import FindingKind
from core.audit.verification import MAX_FINDINGS, verify
from tests.audit.chains import RING, START, make_chain, make_event, newest, renumbered

CHAIN = make_chain(12)
ATTACKER = keyring(b"a" * 32)


def kinds(result):
    return [(finding.kind, finding.seq) for finding in result.findings]


def test_an_empty_log_with_an_unused_head_is_whole():
    result = verify([], newest([]), [], RING)
    assert result.is_whole
    assert result.n_events == 0


def test_a_missing_head_is_found():
    assert kinds(verify(CHAIN, None, [], RING)) == [(FindingKind.HEAD_MISSING, 12)]


@pytest.mark.parametrize(
    "head",
    [
        replace(newest(CHAIN), seq=11),
        replace(newest(CHAIN), seal="0" * 64),
        replace(newest(CHAIN[:8]), key_id=RING.current_id, seal=newest(CHAIN).seal),
        Head(0, GENESIS, "", ""),
        newest(CHAIN[:8]),
    ],
    ids=["renumbered", "without seal", "seal of another", "unused", "put back"],
)
def test_a_wrong_head_is_found(head):
    (finding,) = verify(CHAIN, head, [], RING).findings
    assert finding.kind is FindingKind.HEAD_FORGED


def test_removed_newest_rows_with_a_made_up_head_are_found():
    made_up = head_of(CHAIN[7], replace(ATTACKER, current_id=ATTACKER.current_id))
    claimed = replace(made_up, key_id=RING.current_id)
    assert kinds(verify(CHAIN[:8], claimed, [], RING)) == [(FindingKind.HEAD_FORGED, 8)]
    assert kinds(verify(CHAIN[:8], made_up, [], RING)) == [(FindingKind.UNKNOWN_KEY, 8)]
    assert kinds(verify([], Head(0, GENESIS, "", ""), [anchor_of(newest(CHAIN), START, RING)], RING)) == [
        (FindingKind.ROLLED_BACK, 1)
    ]


def test_everything_removed_is_one_finding():
    (finding,) = verify([], newest(CHAIN), [], RING).findings
    assert (finding.kind, finding.seq, finding.last_seq) == (FindingKind.REMOVED, 1, 12)


def test_with_an_unknown_key_the_rows_make_one_finding_that_says_what_to_do():
    result = verify(CHAIN, newest(CHAIN), [], ATTACKER)
    assert kinds(result) == [(FindingKind.UNKNOWN_KEY, 1), (FindingKind.UNKNOWN_KEY, 12)]
    assert "events 1 to 12" in result.findings[0].sentence
    assert "JWT_SECRET_PREVIOUS" in result.findings[0].sentence


def test_after_a_change_of_keys_the_earlier_one_still_verifies():
    later = keyring(b"n" * 32, b"k" * 32)
    rows = [*CHAIN, seal(make_event(13), newest(CHAIN), later)]
    head = head_of(rows[-1], later)
    anchors = [anchor_of(newest(CHAIN), START, RING)]
    assert verify(rows, head, anchors, later).is_whole
    without = verify(rows, head, anchors, keyring(b"n" * 32))
    assert {kind for kind, _ in kinds(without)} == {FindingKind.UNKNOWN_KEY}


def test_a_log_written_anew_with_another_key_is_found():
    rows = make_chain(12, ATTACKER)
    assert kinds(verify(rows, head_of(rows[-1], ATTACKER), [], RING)) == [
        (FindingKind.UNKNOWN_KEY, 1),
        (FindingKind.UNKNOWN_KEY, 12),
    ]


def test_a_row_changed_under_an_unknown_key_is_found():
    rows = list(CHAIN)
    rows[5] = replace(rows[5], object_id="i-0", key_id="00000000")
    rows[5] = replace(rows[5], hash=rows[5].content_hash())
    assert (FindingKind.CHANGED, 6) in kinds(verify(rows, newest(CHAIN), [], RING))


def test_a_changed_anchor_is_found():
    anchor = replace(anchor_of(newest(CHAIN), START, RING), seq=13)
    assert kinds(verify(CHAIN, newest(CHAIN), [anchor], RING)) == [(FindingKind.ANCHOR_FORGED, 13)]
    foreign = anchor_of(newest(CHAIN), START, ATTACKER)
    assert kinds(verify(CHAIN, newest(CHAIN), [foreign], RING)) == [(FindingKind.UNKNOWN_KEY, 12)]


def test_an_anchor_tells_what_stood_at_a_row_whose_head_was_forged_as_well():
    rows = [*CHAIN[:-1], replace(CHAIN[-1], seq=400)]
    head = replace(newest(CHAIN), seal="0" * 64)
    result = verify(rows, head, [anchor_of(newest(CHAIN), START, RING)], RING)
    assert (FindingKind.HEAD_FORGED, 11) in kinds(result)
    assert any("400" in finding.sentence for finding in result.findings)


def test_many_findings_are_counted_and_the_first_are_told():
    rows = [replace(row, object_id="i-0") for row in make_chain(MAX_FINDINGS + 50)]
    result = verify(rows, None, [], RING)
    assert len(result.findings) == MAX_FINDINGS
    assert result.n_findings == MAX_FINDINGS + 51


def test_of_very_many_rows_that_do_not_fit_the_first_are_named_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr("core.audit.diagnosis.MAX_SUSPECTS", 100)
    rows = make_chain(300)
    result = verify(renumbered([*rows[:19], *rows[20:]]), newest(rows), [], RING)
    assert kinds(result) == [(FindingKind.REORDERED, 20), (FindingKind.REMOVED, 20)]
    assert (result.findings[0].last_seq, result.n_findings) == (119, 2 + 180)


def test_damaged_rows_of_any_type_do_not_stop_the_verification():
    rows = list(CHAIN)
    rows[3] = replace(rows[3], at=None, details=None, actor_id=7, hash=None, seal=b"\xff", key_id=None)
    assert kinds(verify(rows, newest(CHAIN), [], RING)) == [(FindingKind.CHANGED, 4)]


def test_memory_does_not_grow_with_the_log():
    def rows(n):
        head = None
        for number in range(1, n + 1):
            row = seal(make_event(number), head, RING)
            head = head_of(row, RING)
            yield row

    tracemalloc.start()
    result = verify(rows(5_000), None, [], RING)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.n_events == 5_000
    assert peak < 500_000  # bytes; the rows themselves would take some 8 million
