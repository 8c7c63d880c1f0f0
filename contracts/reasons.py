"""Why a record is refused: the reason codes that quarantine rows and dead letters carry; decides nothing."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A code to group by; each member's docstring is its sentence for people."""

    NOT_JSON = "not_json"
    """The bytes are not one JSON text in UTF-8."""
    NOT_AN_OBJECT = "not_an_object"
    """The JSON text is no object."""
    TOO_DEEP = "too_deep"
    """The object is nested deeper than it can be kept."""
    DUPLICATE_KEY = "duplicate_key"
    """An object holds one key twice, so that one value would overwrite the other."""
    MISSING_COLUMN = "missing_column"
    """A required column is absent or null."""
    WRONG_TYPE = "wrong_type"
    """A value is not of its column's type."""
    OUT_OF_RANGE = "out_of_range"
    """A value is of its column's type but does not fit it."""
    INTERNAL_ERROR = "internal_error"
    """The platform failed on the record in a way that nobody foresaw."""
    INVALID_TEXT = "invalid_text"
    """A string holds half of a surrogate pair, which no UTF-8 text can hold."""
    CORRUPT_FILE = "corrupt_file"
    """A file of the lake cannot be read to its end; nothing of it is taken."""
    WRONG_FORMAT = "wrong_format"
    """A batch file is not what its dataset or its name says it is."""
    MALFORMED_ROW = "malformed_row"
    """A row of a file cannot be read as a row."""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """An event says it happened long before or after it arrived; the producer's clock is wrong."""


class ContractViolation(ValueError):
    """A record breaks its contract. Carries `reason`, `column` (name or path) and a sentence without the value."""

    def __init__(self, *, reason: Reason, column: str = "", sentence: str) -> None:
        """Keep what a quarantine row needs."""
        super().__init__(sentence)
        self.reason = reason
        self.column = column
        self.sentence = sentence
