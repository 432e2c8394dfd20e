"""Errors that Citewise raises. Messages say what happened, where, and what to do next. A refusal is not an
error: it is an `Answer`."""

from __future__ import annotations


class CitewiseError(Exception):
    """Base of every error that the package raises on purpose. `exit_code` is what the command line gives."""

    exit_code = 1


class ConfigError(CitewiseError):
    """A setting is missing, unknown or contradictory."""

    exit_code = 2


class InputError(CitewiseError):
    """What the caller passed cannot be used: an empty question, no files, a bad column."""

    exit_code = 2


class ParseError(CitewiseError):
    """One file could not be read. `status` is the value of a `rag.types.FileStatus`."""

    exit_code = 3

    def __init__(self, message: str, status: str = "corrupt") -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[type, tuple[str, str]]:  # crosses process borders with its status
        return type(self), (str(self), self.status)


class IndexProblem(CitewiseError):
    """Base of the index errors."""

    exit_code = 4


class IndexMissing(IndexProblem):
    """There is none."""


class IndexMismatch(IndexProblem):
    """Built with another embedder, chunker or format."""


class IndexBusy(IndexProblem):
    """Another process writes to it."""


class IndexDamaged(IndexProblem):
    """It contradicts itself."""


class ModelError(CitewiseError):
    """A model file cannot be loaded."""

    exit_code = 5


class ModelMissing(ModelError):
    """It is not here."""


class ModelMismatch(ModelError):
    """Its SHA-256 differs from the pinned one."""


class Offline(ModelError):
    """The network would be needed and is switched off."""


class GenerationError(CitewiseError):
    """The language model failed while writing."""

    exit_code = 6


class StorageError(CitewiseError):
    """The disk is full, or the folder cannot be written."""

    exit_code = 7
