"""Keeping what was measured: the figures of a table of outcomes, stored with it and told to the audit log."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion
from core.domain.records import new_id
from core.engine.detector import SCORE_FLOOR
from core.evaluate.operating_figures import measure
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import resample
from core.evaluate.summary import summarise
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_sets import SetContent
from core.services.evaluation.recorded_images import clusters_of
from core.store.evaluations import Evaluation, EvaluationSet
from core.store.unit_of_work import Store


def keep_evaluation(
    store: Store,
    archive: EvaluationArchive,
    version: ModelVersion,
    chosen: EvaluationSet,
    content: SetContent,
    table: OutcomeTable,
    *,
    n_trained_on: int,
    device: str,
    by: Identity,
) -> Evaluation:
    """The new evaluation of a version on a set.

    Args:
        store: where it is listed.
        archive: where its table lies.
        version: that was measured.
        chosen: the set.
        content: what the set holds.
        table: what each box did.
        n_trained_on: images of the set that trained the version or an ancestor.
        device: that it ran on.
        by: who had it measured.
    """
    measured = measure(table, resample(table.parts))
    summary = summarise(
        table,
        measured,
        version,
        cluster_by=clusters_of(content.images),
        score_floor=SCORE_FLOOR,
        n_trained_on=n_trained_on,
    ).to_dict()
    sha256 = archive.write(table, measured.fixed)
    with store.write() as work:
        evaluation = Evaluation(
            evaluation_id=new_id(),
            model_name=version.name,
            model_version=version.version,
            key=archive.key(version, chosen.digest),
            outcomes_sha256=sha256,
            device=device,
            elapsed_ms=float(np.nansum(table.elapsed_ms)),
            created_by=by.account_id,
            created_at=work.now,
            summary=summary | latency(table.elapsed_ms.tolist()),
        )
        work.evaluations.add(evaluation)
        work.audit.record(
            by,
            action="evaluation.stored",
            object_type="evaluation",
            object_id=evaluation.evaluation_id,
            details={"model": f"{version.name} v{version.version}", "set": chosen.name},
        )
    return evaluation


def latency(elapsed_ms: Sequence[float]) -> dict[str, Any]:
    """Median and 95th percentile of the time an image takes, ms; None without a measurement."""
    known = np.array(elapsed_ms, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return {"ms_per_image": None, "ms_per_image_p95": None}
    median, p95 = np.quantile(known, (0.5, 0.95))
    return {"ms_per_image": float(median), "ms_per_image_p95": float(p95)}
