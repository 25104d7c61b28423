"""Every error a user may meet: one base, one class per thing that can be wrong."""

from collections.abc import Mapping


class WorkbenchError(Exception):
    """Base of all errors whose message is fit to be shown to a user as one line."""


class BadInputError(WorkbenchError):
    """The input cannot be used; nothing was stored or changed."""


class FieldFaultsError(BadInputError):
    """Fields of a form that cannot be taken.

    Args:
        faults: field to reason, at least one.

    Attributes:
        faults: the same.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)


class UnreadableImageError(BadInputError):
    """The bytes are not a radiograph that can be read: says what was expected and what came."""


class ConfigurationError(BadInputError):
    """A setting is missing, malformed or unsafe: names the key."""


class SigningKeyError(ConfigurationError):
    """The key that seals is missing, or not the one that sealed the newest event; nothing was changed."""


class DatasetError(BadInputError):
    """An annotation file, split list or recipe contradicts itself or its images."""


class ModelNotFoundError(BadInputError):
    """No such registered model, version or alias."""


class ModelArtefactError(WorkbenchError):
    """Weights, card or calibration of a model are missing, damaged or do not belong together."""


class RuleSetError(BadInputError):
    """A file of acceptance rules cannot be used: names the file, the rule and what was expected."""


class LeakError(BadInputError):
    """Images under evaluation were trained on, and a gate was asked for."""


class JobCancelledError(WorkbenchError):
    """A long job was asked to stop and did."""


class TrainingWorkerLostError(WorkbenchError):
    """A process of a training run died; the run can go on from its checkpoint."""


class JobTakenError(BadInputError):
    """The job is not queued any more, or another one runs on its device."""


class CalibrationDataError(BadInputError):
    """The boxes handed in cannot calibrate a model: none, or only true or only false ones."""


class RegistryUnavailableError(WorkbenchError):
    """MLflow does not answer; what is cached still works."""


class NotAllowedError(WorkbenchError):
    """The role of whoever asked does not cover this, or there is no session."""


class StaleVersionError(WorkbenchError):
    """The change rests on a version that is no longer the newest; nothing was saved.

    Attributes:
        yours: version that the change was based on.
        stored: the newest version there is.
    """

    def __init__(self, what: str, *, yours: int, stored: int) -> None:
        super().__init__(
            f"{what} is at version {stored} by now, your change is based on version {yours}: nothing was "
            "saved; compare the two, then save again"
        )
        self.yours = yours
        self.stored = stored


class ImmutableRecordError(WorkbenchError):
    """The record may not be changed or removed any more."""


class SignInRefusedError(WorkbenchError):
    """Name and password do not fit together, or the account is disabled; the message does not say which."""


class LockedOutError(SignInRefusedError):
    """Too many attempts; try again later.

    Attributes:
        retry_after_s: seconds to wait.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class WeakPasswordError(BadInputError):
    """The password is too short, too long or too common."""


class UserExistsError(BadInputError):
    """The sign-in name is taken."""


class AccountChangedError(WorkbenchError):
    """Somebody else changed the account since it was looked at; nothing was changed."""


class LastAdminError(BadInputError):
    """Nobody could manage accounts any more; nothing was changed."""


class UnknownUserError(BadInputError):
    """There is no such account."""


class UnknownRecordError(BadInputError):
    """There is no such inspection, annotation or review."""


class BackupPlaceError(BadInputError):
    """Place of backups, place to restore to, or passphrase are not what is needed; nothing was changed."""


class BackupDamagedError(WorkbenchError):
    """A backup, or a file of it, is not what was stored."""


class EngineBusyError(WorkbenchError):
    """The cluster that runs the networks has too much to do; nothing was read, later it can be."""


class EngineAwayError(WorkbenchError):
    """The cluster that runs the networks does not answer; nothing was read."""
