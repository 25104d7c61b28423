"""The polarity of a radiograph is stated, estimated or asked, never assumed silently."""

from dataclasses import dataclass, replace

from core.domain.radiograph import Polarity, PolarityGround, Radiograph

#: The ground in the words of the page and the report.
GROUND_WORDS = {
    PolarityGround.FILE: "DICONDE",
    PolarityGround.PERSON: "you",
    PolarityGround.ESTIMATED: "estimated",
    PolarityGround.ASSUMED: "assumed",
}
#: The same in the words of a report, which others read.
REPORTED_GROUNDS = {
    PolarityGround.FILE: "stated by the file",
    PolarityGround.PERSON: "stated by the inspector",
    PolarityGround.ESTIMATED: "estimated from the image",
    PolarityGround.ASSUMED: "assumed, not stated",
}
#: Images of each polarity, as a plural.
IMAGES_IN = {
    Polarity.FILM: "films",
    Polarity.DIGITAL: "digital images",
    Polarity.UNKNOWN: "images of both polarities",
}


@dataclass(frozen=True, slots=True)
class PolarityEstimate:
    """An estimate of the polarity from the picture alone.

    Attributes:
        polarity: UNKNOWN where the picture does not tell.
        confidence: 0.5 to 1, in the more likely polarity.
        reason: the strongest sign in words, such as "the weld is darker than the plate".
    """

    polarity: Polarity
    confidence: float
    reason: str

    @property
    def speaks(self) -> bool:
        """True when the picture tells the polarity."""
        return self.polarity is not Polarity.UNKNOWN

    @property
    def told(self) -> str:
        """The estimate in words."""
        if self.speaks:
            return f"The image looks {self.polarity}: {self.reason}"
        return "The image does not tell clearly" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class PolarityDecision:
    """The polarity that counts for an image, and why.

    Attributes:
        polarity: film or digital; UNKNOWN while it is asked.
        ground: of the polarity; ASSUMED while it is asked.
        is_asked: a person has to say it before the image is read.
        warning: that the picture contradicts the file or the person; empty where it does not.
        estimate: from the picture.
    """

    polarity: Polarity
    ground: PolarityGround
    is_asked: bool
    warning: str
    estimate: PolarityEstimate

    def applied(self, radiograph: Radiograph) -> Radiograph:
        """The radiograph in this polarity."""
        return replace(radiograph, polarity=self.polarity, polarity_ground=self.ground)


def decide_polarity(
    stated: Polarity, ground: PolarityGround, expected: Polarity, estimate: PolarityEstimate
) -> PolarityDecision:
    """The polarity that counts. What a file or a person states always does; an estimate only warns then.

    Args:
        stated: by the file or a person; UNKNOWN where neither does.
        ground: of `stated`.
        expected: the model's, which would be assumed.
        estimate: from the picture; it counts where nothing is stated and it agrees with `expected`.
    """
    if stated is not Polarity.UNKNOWN:
        warning = ""
        if estimate.speaks and estimate.polarity is not stated:
            who = "the file" if ground is PolarityGround.FILE else "you"
            verb = "states" if ground is PolarityGround.FILE else "said"
            warning = f"{who} {verb} {stated}, but the image looks {estimate.polarity}: {estimate.reason}"
        return PolarityDecision(stated, ground, is_asked=False, warning=warning, estimate=estimate)
    if estimate.speaks and expected in (estimate.polarity, Polarity.UNKNOWN):
        return PolarityDecision(estimate.polarity, PolarityGround.ESTIMATED, False, "", estimate)
    return PolarityDecision(Polarity.UNKNOWN, PolarityGround.ASSUMED, True, "", estimate)
