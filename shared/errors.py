"""The errors of the pipeline, named by what the pipeline does about them."""

import re


class PipelineError(Exception):
    """Base of every error that the pipeline understands; `code` is what machines read."""

    @property
    def code(self) -> str:
        """The class name in snake case: `UnreadableVideo` -> `unreadable_video`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()


class Rejected(PipelineError):
    """Can never succeed: the message is acknowledged and the reason kept."""


class RetryLater(PipelineError):
    """May succeed later: the message goes back to the queue."""


class Conflict(RetryLater):
    """Somebody else wrote first; read again and decide anew."""


class ConfigError(PipelineError):
    """The settings do not fit together; a person has to change them."""


class FileMissing(Rejected):
    """There is no such file, or no longer the one that was meant."""


class DocumentInvalid(Rejected):
    """A document that a store cannot hold: larger than 900 KiB, or not plain JSON."""


class SecretMissing(ConfigError):
    """There is no such secret."""


class ScheduleMissing(ConfigError):
    """There is no such schedule."""


class JobMissing(ConfigError):
    """There is no such job."""


class QuotaExceeded(RetryLater):
    """A vendor takes no more calls for now."""


class JudgeTimeout(RetryLater):
    """A judge did not answer in time."""


class JudgeUnavailable(RetryLater):
    """A judge's vendor is out of order or cannot be reached."""


class JudgeBlocked(Rejected):
    """A vendor's safety rules kept an answer back."""


class AnswerUnusable(Rejected):
    """What a judge answered is not what it was asked for."""


class ModelRetired(ConfigError):
    """A vendor does not know the model, or no longer."""


class KeyRefused(ConfigError):
    """A vendor does not accept the key."""
