"""Figures of a comparison in words: names, units, what each means, numbers with their intervals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.evaluate.comparison import LEVEL, Conclusion, FigureDifference, VersionComparison
from core.evaluate.resampling import Interval
from core.evaluate.version_differences import DifferenceKind
from core.evaluate.version_figures import AP50
from core.store.evaluations import EvaluationSet

MARKS = {Conclusion.BETTER: "▲", Conclusion.WORSE: "▼", Conclusion.SAME: "=", Conclusion.NOT_JUDGED: "–"}


@dataclass(frozen=True, slots=True)
class FigureWords:
    """Title and meaning of a figure.

    Attributes:
        title: of its row.
        short: in a sentence.
        meaning: one hover away.
        digits: after the point.
    """

    title: str
    short: str
    meaning: str
    digits: int = 3


_WORDS = {
    "recall": FigureWords(
        "Recall",
        "recall",
        "Share of the recorded indications that are reported at the operating point (IoU 0.5).",
    ),
    "false_calls_per_image": FigureWords(
        "False calls an image",
        "false calls",
        "Reported boxes that match no recorded indication, per image. Fewer is better.",
        2,
    ),
    "precision": FigureWords(
        "Precision", "precision", "Share of the reported boxes that match a recorded indication."
    ),
    AP50: FigureWords(
        "AP50",
        "AP50",
        "Average precision at IoU 0.5 over all scores, classes ignored: independent of the operating point.",
    ),
    "ap50_classes": FigureWords(
        "AP50, class right too",
        "AP50 by class",
        "Mean over the recorded classes of the average precision of each; the class must be right.",
    ),
    "d_ece": FigureWords(
        "D-ECE",
        "calibration",
        "How far the probabilities are from what happens, 0 is perfect; its floor stands under Calibration. "
        "Lower is better.",
    ),
    "brier": FigureWords(
        "Brier score",
        "Brier score",
        "Mean squared error of the probabilities of all boxes at or above the score cut. Lower is better.",
    ),
    "images_nothing_missed": FigureWords(
        "Images with nothing missed",
        "images with nothing missed",
        "Share of the images with recorded indications of which every one is reported. "
        "Judged by McNemar's exact test, parts counted.",
    ),
    "images_no_false_call": FigureWords(
        "Images without a false call",
        "images without a false call",
        "Share of all images on which nothing is reported that is not recorded. "
        "Judged by McNemar's exact test, parts counted.",
    ),
}

DIFFERENCE_WORDS = {
    DifferenceKind.FOUND_SECOND: (
        "found only by {second}",
        "Recorded indications that only this version reports",
    ),
    DifferenceKind.FOUND_FIRST: (
        "found only by {first}",
        "Recorded indications that only this version reports",
    ),
    DifferenceKind.FALSE_SECOND: (
        "false call only of {second}",
        "Reported where nothing is recorded and the other reports nothing",
    ),
    DifferenceKind.FALSE_FIRST: (
        "false call only of {first}",
        "Reported where nothing is recorded and the other reports nothing",
    ),
    DifferenceKind.CLASS: ("class differs", "Both report it, under different classes"),
    DifferenceKind.EXTENT: ("extent differs", "Both report it, their boxes overlap less than 0.7"),
    DifferenceKind.MOVED: ("probability moved", "Both report it, the probability differs by 0.2 or more"),
}


def figure_words(figure: str) -> FigureWords:
    """The words of a figure; those of a class or size say which."""
    if figure in _WORDS:
        return _WORDS[figure]
    base, _, group = figure.partition(":")
    kind, _, name = group.partition(":")
    of = _WORDS[base]
    title = name if kind == "class" else f"{name} long"
    return FigureWords(
        title, f"{of.short} of {title}", f"{of.title} of the recorded ones of {title}. {of.meaning}"
    )


def value_words(figure: str, value: float | None) -> str:
    """A value with as many digits as its figure bears."""
    return "–" if value is None else f"{value:.{figure_words(figure).digits}f}"


def interval_words(figure: str, interval: Interval | None, *, is_signed: bool = False) -> str:
    """A 95 % interval, empty where there is none."""
    if interval is None:
        return ""
    sign, digits = "+" if is_signed else "", figure_words(figure).digits
    return f"{interval[0]:{sign}.{digits}f} to {interval[1]:{sign}.{digits}f}"


def difference_words(row: FigureDifference) -> str:
    """The difference with its sign, a dash where there is none."""
    if row.difference is None:
        return "–"
    return f"{row.difference:+.{figure_words(row.figure).digits}f}"


def uncorrected_words(row: FigureDifference) -> str:
    """Why a difference that is beyond chance by itself is no verdict; empty elsewhere."""
    is_alone = row.verdict is Conclusion.SAME and row.p_value is not None and row.p_value <= LEVEL
    return "alone beyond chance, not after the correction" if is_alone else ""


def findings(comparison: VersionComparison, first: str, second: str) -> list[tuple[Conclusion, str]]:
    """Sentences about the second version beside the first, one a conclusion, most telling first."""
    why = next((row.why for row in comparison.main if row.verdict is Conclusion.NOT_JUDGED), "")
    if comparison.main and all(row.verdict is Conclusion.NOT_JUDGED for row in comparison.main):
        return [
            (
                Conclusion.NOT_JUDGED,
                f"Nothing is judged here: {why}. The figures are shown, they decide nothing.",
            )
        ]
    left_out, why = _left_out(comparison)
    said = []
    for verdict in (Conclusion.BETTER, Conclusion.WORSE):
        rows = [row for row in comparison.main if row.verdict is verdict]
        if rows:
            said.append((verdict, f"{second} is {verdict.value} than {first} in {_listed(rows)}."))
    if where := _where(comparison, second):
        said.append((Conclusion.NOT_JUDGED, where))
    same = [row for row in comparison.main if row.verdict is Conclusion.SAME]
    if not said:
        alone = _names([row for row in same if uncorrected_words(row)])
        but = f" Alone beyond chance, but not among {len(comparison.main)} figures: {alone}." if alone else ""
        if 0 < len(same) <= len(left_out):
            verb = "is" if len(same) == 1 else "are"
            only = f"Only {_names(same)} {verb} judged ({why}): {Conclusion.SAME.value}.{but}"
            return [(Conclusion.SAME, only)]
        where = "in any figure that is judged" if left_out else "on this set in any figure"
        said.append((Conclusion.SAME, f"{first} and {second} cannot be told apart {where}.{but}"))
    elif same:
        said.append((Conclusion.SAME, f"Not distinguishable: {_names(same)}."))
    if left_out:
        said.append((Conclusion.NOT_JUDGED, f"Not judged: {_names(left_out)} ({why})."))
    return said


def _left_out(comparison: VersionComparison) -> tuple[list[FigureDifference], str]:
    """The main figures that are not judged for the reason that most of them have, and it; empty for none."""
    whys = Counter(
        row.why
        for row in comparison.main
        if row.verdict is Conclusion.NOT_JUDGED and row.difference is not None
    )
    whys.pop("", None)
    if not whys:
        return [], ""
    why = whys.most_common(1)[0][0]
    return [row for row in comparison.main if row.verdict is Conclusion.NOT_JUDGED and row.why == why], why


def _names(rows: Sequence[FigureDifference]) -> str:
    return ", ".join(figure_words(row.figure).short for row in rows)


def set_words(chosen: EvaluationSet, n_parts: int | None = None) -> str:
    """A set in words."""
    parts = "" if n_parts is None or n_parts == chosen.n_images else f", {n_parts} parts"
    told = f"{chosen.name}: {chosen.n_images:,} images{parts}, {chosen.n_boxes:,} recorded indications"
    read_by = " and ".join(f"v{number}" for number in chosen.source.get("read_by", ()))
    return f"{told}, from signed records of what {read_by} read (an advantage for it)" if read_by else told


def _listed(rows: Sequence[FigureDifference]) -> str:
    return "; ".join(
        f"{figure_words(row.figure).short} {difference_words(row)}"
        f" ({interval_words(row.figure, row.interval, is_signed=True)})"
        for row in rows
    )


def _where(comparison: VersionComparison, second: str) -> str:
    said = []
    for verdict in (Conclusion.BETTER, Conclusion.WORSE):
        rows = [row for row in comparison.by_group if row.verdict is verdict]
        if rows:
            rows.sort(key=lambda row: -abs(row.difference or 0))
            said.append(f"{verdict.value} at {_listed(rows[:4])}{' …' if len(rows) > 4 else ''}")
    return f"By class and size, {second} is {'; it is '.join(said)}." if said else ""
