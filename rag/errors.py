"""Errors that Citewise raises. Messages say what happened, where, and what to do next.

    CitewiseError
    ├── ConfigError          a setting is missing, unknown or contradictory
    ├── InputError           what the caller passed cannot be used (empty question, no files, bad column)
    ├── ParseError           one file could not be read; carries a FileStatus name in `.status`
    ├── IndexProblem          an index is missing, damaged or locked
    │   ├── IndexMissing
    │   ├── IndexMismatch    built with another embedder, chunker or format
    │   ├── IndexBusy        another process writes to it
    │   └── IndexDamaged
    ├── ModelError           a model file is missing, wrong or cannot be loaded
    │   ├── ModelMissing
    │   ├── ModelMismatch    SHA-256 differs from the pinned one
    │   └── Offline          the network would be needed and is switched off
    ├── GenerationError      the language model failed while writing
    └── StorageError         the disk is full or the folder cannot be written

A refusal is not an error: it is an `Answer` of kind REFUSED."""

from __future__ import annotations


class CitewiseError(Exception):
    """Base of every error that the package raises on purpose. `exit_code` is what the command line gives."""

    exit_code = 1


class ConfigError(CitewiseError):
    exit_code = 2


class InputError(CitewiseError):
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
    pass


class IndexMismatch(IndexProblem):
    pass


class IndexBusy(IndexProblem):
    pass


class IndexDamaged(IndexProblem):
    pass


class ModelError(CitewiseError):
    exit_code = 5


class ModelMissing(ModelError):
    pass


class ModelMismatch(ModelError):
    pass


class Offline(ModelError):
    pass


class GenerationError(CitewiseError):
    exit_code = 6


class StorageError(CitewiseError):
    exit_code = 7
