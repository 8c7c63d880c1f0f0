"""Parts of a job that fail alone: kept by name until all others are done, then told together."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from spark_jobs.expectations import Refused


class JobFailed(RuntimeError):
    """A job that did what it could and names what it could not."""


@dataclass(kw_only=True)
class Problems:
    """What failed, by the part's name; safe to add to from several threads."""

    by_name: dict[str, Exception] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, name: str, part: Callable[[], object]) -> None:
        """Do a part; what it raises is kept, and its traceback goes to the log."""
        try:
            part()
        except Exception as error:
            traceback.print_exc()
            with self._lock:
                self.by_name[name] = error

    def tell(self) -> None:
        """Raise what failed, if anything did.

        Raises:
            Refused: all parts that failed were refused by an expectation.
            JobFailed: else.
        """
        if not self.by_name:
            return
        text = "; ".join(f"{name}: {first_line(error)}" for name, error in sorted(self.by_name.items()))
        refused = all(isinstance(error, Refused) for error in self.by_name.values())
        raise (Refused if refused else JobFailed)(text)


def first_line(error: BaseException) -> str:
    """What a failure says in one line that everybody may read; the log has all of it.

    Of errors that are not the jobs' own only the kind is told, because their text may quote a value: of Spark's the
    error class, of AWS's the code and the operation, of Java's the class of the cause.
    """
    if type(error).__module__.startswith("spark_jobs."):
        lines = str(error).strip().splitlines()
        return lines[0] if lines else type(error).__name__
    if isinstance(error, Py4JJavaError):
        cause = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        return f"{cause.getClass().getName()}; the log says more"
    if isinstance(error, PySparkException):
        return f"{error.getErrorClass() or type(error).__name__}; the log says more"
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "an error without a code")
        return f"{code} at {error.operation_name}; the log says more"
    return f"{type(error).__name__}; the log says more"
