"""Every error a user may meet: one base, one class per thing that can be wrong."""


class WorkbenchError(Exception):
    """Base of all errors whose message is fit to be shown to a user as one line."""


class BadInputError(WorkbenchError):
    """What was handed in cannot be used; nothing was stored or changed."""


class UnreadableImageError(BadInputError):
    """The bytes are not a radiograph that can be read: says what was expected and what came."""


class ConfigurationError(BadInputError):
    """A setting is missing, malformed or unsafe: names the key."""


class DatasetError(BadInputError):
    """An annotation file, split list or recipe contradicts itself or its images."""


class ModelNotFoundError(BadInputError):
    """No such registered model, version or alias."""


class ModelArtefactError(WorkbenchError):
    """Weights, card or calibration of a model are missing, damaged or do not belong together."""


class LeakError(BadInputError):
    """Images under evaluation were trained on, and a gate was asked for."""


class JobCancelledError(WorkbenchError):
    """A long job was asked to stop and did."""


class CalibrationDataError(BadInputError):
    """The boxes handed in cannot calibrate a model: none, or only true or only false ones."""


class RegistryUnavailableError(WorkbenchError):
    """MLflow does not answer; what is cached still works."""
