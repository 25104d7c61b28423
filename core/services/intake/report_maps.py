"""Maps for a report: of the boxes and by the methods that somebody chose."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.explanation_standing import standing_words
from core.domain.explanations import METHOD_WORDS, Method
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.reports.inspection_report import InspectionReport
from core.reports.map_picture import map_picture
from core.reports.reported_map import ReportedMap
from core.services.inference.explaining import ExplainService
from core.services.inference.without_it import WithoutItService
from core.services.intake.inspecting_files import InspectFilesService

#: A report stays a few pages: no more maps than this.
MOST_MAPS = 12

Chosen = Sequence[tuple[int, Method | None]]


class ReportMapService:
    """Puts maps into reports.

    Args:
        inspected: the results behind inspections.
        explain: makes and tests maps.
        without_it: reads again without a region.
        figures_of: what was measured of a version's explanations, by the sha256 of its weights.
    """

    def __init__(
        self,
        inspected: InspectFilesService,
        explain: ExplainService,
        without_it: WithoutItService,
        figures_of: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._inspected, self._explain, self._without_it = inspected, explain, without_it
        self._figures_of = figures_of

    def with_maps(self, identity: Identity, report: InspectionReport, chosen: Chosen) -> InspectionReport:
        """The report with these maps in it.

        Args:
            identity: who asks.
            report: of the reporting service.
            chosen: number of each box in the model's list, from 1, and the method; None takes the one that is
                shown first for the version.

        Raises:
            NotAllowedError: the role may not look at inspections or radiographs, or must not see the result.
            BadInputError: none or too many are chosen.
            UnknownRecordError: there is no such inspection or box.
            NotReproducedError: the version no longer reports the box.
            ModelNotFoundError, ModelArtefactError: its version is gone or damaged.
        """
        require(identity, Action.INSPECTIONS_READ)
        require(identity, Action.IMAGES_READ)
        if not 0 < len(chosen) <= MOST_MAPS:
            raise BadInputError(f"expected 1 to {MOST_MAPS} maps, got {len(chosen)}")
        maps = []
        for number, method in chosen:
            result, index = self._inspected.reported(identity, report.inspection_id, number)
            shown = self._explain.first_method(result) if method is None else method
            maps.append(self._made(result, index, number, shown))
        return replace(report, maps=tuple(maps))

    def _made(self, result: DetectionResult, index: int, number: int, method: Method) -> ReportedMap:
        heat = self._explain.explain(result, index, method)
        tested = self._explain.faithfulness(result, index, method)
        picture = map_picture(result, index, heat)
        return ReportedMap(
            number=number,
            method=METHOD_WORDS[method],
            version=f"{result.model.name} v{result.model.version}",
            belief=tested.belief.value,
            figures=f"empty: {heat.why_empty}" if heat.is_empty else tested.words,
            without_it=self._without_it.without(result, index).words,
            standing=standing_words(self._figures_of(result.model.sha256)),
            picture=base64.b64encode(picture).decode("ascii"),
        )
