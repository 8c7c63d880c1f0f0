"""Parts of a job that fail alone: kept by name until all others are done, then told together."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

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
    """The first line of what a failure says, of its cause where Spark wraps one; stack traces go to the log."""
    text = str(error)
    if isinstance(error, Py4JJavaError):
        cause = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        text = cause.toString()
    lines = text.strip().splitlines()
    return lines[0] if lines else type(error).__name__
