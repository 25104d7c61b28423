"""Which of two models of a family reads an image: that for parts that were taught, or that for others."""

from dataclasses import dataclass

from core.domain.errors import ModelNotFoundError
from core.domain.familiarity import Familiarity
from core.domain.kinds import model_for_new_parts
from core.domain.ports import ModelSource
from core.domain.radiograph import Radiograph
from core.services.inference.detecting import DetectService


@dataclass(frozen=True, slots=True)
class Pick:
    """The version that reads an image.

    Attributes:
        model, version: of the one that reads it.
        asked_for: the model that was asked for.
        familiarity: of the image to that one; None where it cannot tell or nothing was to be picked.
    """

    model: str
    version: int
    asked_for: str
    familiarity: Familiarity | None = None

    @property
    def words(self) -> str:
        """Such as "Read by casting-any: ..."; empty where the model that was asked for reads it."""
        return "" if self.model == self.asked_for else picked_words(self.model, self.asked_for)


def picked_words(model: str, asked_for: str) -> str:
    """The reason, in a sentence without a full stop, why `model` reads an image instead of `asked_for`."""
    return f"Read by {model}: this part looks unlike those that taught {asked_for}"


class PickService:
    """Picks the model by how familiar an image looks.

    Args:
        models: knows which versions serve.
        detect: measures familiarity.
    """

    def __init__(self, models: ModelSource, detect: DetectService) -> None:
        self._models = models
        self._detect = detect

    def pick(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, earlier: int | None = None
    ) -> Pick:
        """The version that reads the radiograph.

        It is that of `model`, unless the image looks strange to it and a model for new parts serves.

        Args:
            radiograph: in the polarity that counts.
            model: that was asked for.
            version: of it; None takes the champion.
            earlier: the version of the model for new parts that read the image before; it goes on doing so.

        Raises:
            ModelNotFoundError: there is no such model or version.
            ModelArtefactError: its artefacts are damaged.
        """
        asked, _ = self._models.resolve(model, version=version)
        own = Pick(model, asked.version, model)
        other = self._for_new_parts(model, earlier)
        if other is None:
            return own
        seen = self._detect.familiarity(radiograph, model=model, version=asked.version)
        if seen is None or not seen.is_strange:
            return Pick(model, asked.version, model, seen)
        return Pick(*other, model, seen)

    def _for_new_parts(self, model: str, earlier: int | None) -> tuple[str, int] | None:
        """Name and version of the model for new parts; None where none serves."""
        if (name := model_for_new_parts(model)) is None:
            return None
        for version in dict.fromkeys((earlier, None)):
            try:
                return name, self._models.resolve(name, version=version)[0].version
            except ModelNotFoundError:
                continue
        return None
