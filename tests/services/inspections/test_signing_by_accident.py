"""The ten worst things that a tired inspector could do around signing: each is refused or explained.

1. accept a film with a confirmed crack that the rule rejects
2. accept with thirteen indications that nobody assessed
3. accept a film that nobody looked at
4. accept without a rule, or where the rule cannot say anything
5. give a reason without a note, or answer something that does not stand against it any more
6. reject a film on which nothing is confirmed: the model alone would have decided
7. sign what was changed meanwhile in another tab
8. change a signed inspection, or sign it twice
9. re-shoot without saying why, or carry that reason over to another disposition
10. take an override over into the correction, or lose it on the way to the history, the report and the log
"""

import csv
import io
from dataclasses import replace

import pytest

from core.audit.selection import EventFilter
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, StaleVersionError
from core.domain.indication import IndicationClass
from core.domain.override import Override, OverrideReason
from core.domain.reading import Call, ReadIndication, Setup
from core.domain.records import AnnotationSource, Disposition, InspectionState, ReshootReason, Signature
from core.services.inspections.inspecting import Decision
from core.services.workspaces import Workspace
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.records import PASSWORD, detection_result

BY_RULE = Setup(standard="iso-5817", quality_level="B", wall_mm=10, thickness_mm=10)
ACCEPT, REJECT = Disposition.ACCEPT, Disposition.REJECT
CRACK = "1 confirmed crack is not acceptable by ISO 5817 B"
NOTE = "agreed with the customer"


class Film:
    """An inspection of one film, on which the model reports a crack, as a tired inspector handles it."""

    def __init__(self, desk: Workspace, who: Identity, *, n: int = 1, setup: Setup = BY_RULE) -> None:
        self.desk, self.who = desk, who
        self.id = desk.inspections.record(who, detection_result(n=n), setup=setup).inspection_id

    @property
    def shown(self):
        return self.desk.open_readings.open(self.who, self.id)

    def call(self, call: Call, *, n_more: int = 0) -> None:
        """Call what the model reports; leave `n_more` others open."""
        reading = self.shown.reading
        said = [replace(one, call=call) for one in reading.indications]
        more = [
            ReadIndication(f"h{k}", (5, 5, 9, 9), IndicationClass.POROSITY, AnnotationSource.HUMAN, Call.OPEN)
            for k in range(1, n_more + 1)
        ]
        self.desk.readings.save(self.who, self.id, [*said, *more], expected_version=reading.version)

    def decide(self, disposition: Disposition | None, **said: ReshootReason) -> None:
        version = self.shown.reading.inspection.version
        self.desk.inspections.decide(
            self.who, self.id, Decision(disposition, **said), expected_version=version
        )

    def sign(self, override: Override | None = None, **versions: int) -> Signature:
        reading = self.shown.reading
        seen = {"expected_version": reading.inspection.version, "expected_reading": reading.version}
        return self.desk.signing_off.sign(
            self.who, self.id, PASSWORD, address="127.0.0.1", override=override, **(seen | versions)
        )

    def require_unsigned(self) -> None:
        inspection = self.shown.reading.inspection
        assert (inspection.state, inspection.override) == (InspectionState.OPEN, None)


@pytest.fixture
def film(desk: Workspace, inspector: Identity) -> Film:
    return Film(desk, inspector)


def concession(*objections: str, note: str = NOTE) -> Override:
    return Override(objections, OverrideReason.CONCESSION, note)


def test_1_a_confirmed_crack_is_not_accepted_without_a_reason(film: Film) -> None:
    film.call(Call.CONFIRMED)
    film.decide(ACCEPT)
    with pytest.raises(BadInputError, match=f"{CRACK}: to sign all the same takes a reason and a note"):
        film.sign()
    film.require_unsigned()
    film.decide(REJECT)
    film.sign()  # what the rule says is signed without a word
    assert film.shown.reading.inspection.override is None


def test_2_what_nobody_assessed_is_not_accepted_and_is_counted(film: Film) -> None:
    film.call(Call.DISMISSED, n_more=13)
    film.decide(ACCEPT)
    assert film.shown.judgement.words == "not assessed, 13 open"
    with pytest.raises(BadInputError, match="^13 indications are not assessed: to sign"):
        film.sign()
    film.call(Call.CONFIRMED, n_more=0)
    film.require_unsigned()


def test_3_a_film_that_nobody_looked_at_has_no_verdict_however_clean_the_model_finds_it(
    desk, inspector
) -> None:
    clean = Film(desk, inspector, n=0)
    assert clean.shown.judgement.words == "not assessed"
    with pytest.raises(BadInputError, match="set a disposition before you sign"):
        clean.sign()
    clean.decide(ACCEPT)  # the only trace that looking at a clean film leaves
    assert clean.shown.judgement.summary == "acceptable: no indication is confirmed"
    clean.sign()


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (Setup(), "not evaluable: no standard is chosen"),
        (replace(BY_RULE, standard="iso-10675-1", quality_level="1"), "not evaluable by ISO 10675-1 1"),
    ],
)
def test_4_what_no_rule_can_judge_is_not_accepted_without_a_reason(desk, inspector, setup, said) -> None:
    film = Film(desk, inspector, setup=setup)
    film.call(Call.DISMISSED)
    film.decide(ACCEPT)
    with pytest.raises(BadInputError, match=f"^{said}: to sign all the same"):
        film.sign()
    override = Override((said,), OverrideReason.NOT_APPLICABLE, "drawing 7 allows it")
    assert film.sign(override).meaning == "inspected"


def test_5_a_reason_needs_a_note_and_answers_what_stands_against_it_now(film: Film) -> None:
    film.call(Call.CONFIRMED)
    film.decide(ACCEPT)
    with pytest.raises(BadInputError, match="write a note"):
        concession(CRACK, note="  ")
    with pytest.raises(BadInputError, match=f"changed since you looked, now: {CRACK}"):
        film.sign(concession("13 indications are not assessed"))
    film.call(Call.DISMISSED)
    with pytest.raises(BadInputError, match="changed since you looked, now: nothing"):
        film.sign(concession(CRACK))
    film.require_unsigned()


@pytest.mark.parametrize("disposition", [REJECT, Disposition.REPAIR])
def test_6_the_model_alone_rejects_nothing(film: Film, disposition: Disposition) -> None:
    film.decide(disposition)
    with pytest.raises(
        BadInputError, match="^no indication is confirmed; 1 indication is not assessed: to sign"
    ):
        film.sign()
    film.require_unsigned()
    assert film.shown.judgement.preview is not None  # what the model's calls would give is no verdict
    film.decide(Disposition.REFER)
    film.sign()  # somebody else decides


def test_7_what_was_changed_meanwhile_is_not_signed(film: Film) -> None:
    film.call(Call.CONFIRMED)
    film.decide(REJECT)
    seen = film.shown.reading
    film.call(Call.DISMISSED)
    with pytest.raises(StaleVersionError):
        film.sign(expected_reading=seen.version)
    film.call(Call.CONFIRMED)
    film.decide(ACCEPT)
    with pytest.raises((StaleVersionError, BadInputError)):
        film.sign(expected_version=seen.inspection.version)
    film.require_unsigned()


def test_8_a_signed_inspection_is_not_changed_nor_signed_again(film: Film) -> None:
    film.call(Call.CONFIRMED)
    film.decide(REJECT)
    film.sign()
    with pytest.raises(ImmutableRecordError):
        film.call(Call.DISMISSED)
    with pytest.raises(ImmutableRecordError):
        film.decide(ACCEPT)
    with pytest.raises(ImmutableRecordError):
        film.sign()


def test_9_another_exposure_needs_its_reason_and_no_other_disposition_has_one(film: Film) -> None:
    film.decide(Disposition.RESHOOT)
    with pytest.raises(BadInputError, match="choose why the radiograph is taken again"):
        film.sign()
    film.decide(Disposition.RESHOOT, reshoot_reason=ReshootReason.OTHER)
    with pytest.raises(BadInputError, match="say in the note why"):
        film.sign()
    with pytest.raises(BadInputError, match="goes with the disposition re-shoot only"):
        film.decide(ACCEPT, reshoot_reason=ReshootReason.DENSITY)
    film.decide(Disposition.RESHOOT, reshoot_reason=ReshootReason.DENSITY)
    film.decide(REJECT)
    assert film.shown.reading.inspection.reshoot_reason is None
    film.decide(Disposition.RESHOOT, reshoot_reason=ReshootReason.DENSITY)
    film.sign()


def test_10_an_override_stands_wherever_the_result_stands_and_not_in_the_correction(
    film: Film, store: Store
) -> None:
    film.call(Call.CONFIRMED, n_more=13)
    film.decide(ACCEPT)
    against = (CRACK, "13 indications are not assessed")
    film.sign(concession(*against))
    kept = film.shown.reading.inspection.override
    assert kept == replace(concession(*against), signer_id=film.who.user_id)
    (entry,) = film.desk.history.search(film.who, HistoryFilter()).entries
    assert entry.override == kept
    line, *_ = csv.DictReader(io.StringIO("".join(film.desk.history_export.csv(film.who, HistoryFilter()))))
    assert (line["disposition"], line["override"]) == ("accept", f"concession: {NOTE}")
    with store.read() as work:
        (event,) = work.audit.page(EventFilter(action="inspection.signed"), limit=5)
    assert event.details["against"] == f"{CRACK}; 13 indications are not assessed"
    assert (event.details["override"], event.details["verdict"]) == ("concession", "not acceptable, 13 open")
    assert NOTE not in str(event.details)  # a note may name people; its digest is in the signed content
    revision = film.desk.signing_off.revise(film.who, film.id)
    assert (revision.override, revision.disposition) == (None, ACCEPT)
    film.id = revision.inspection_id
    with pytest.raises(BadInputError, match=CRACK):  # it is asked for again
        film.sign()
