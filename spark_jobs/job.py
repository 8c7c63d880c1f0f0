"""What a job is given: its window, the raw zone, the lake and one way to publish; holds no job's logic.

A job is a module `spark_jobs/jobs/<name>.py` with `run(run: Run) -> None`, under the name that contracts.jobs
declares. It reads through `run.raw` and `run.read`, computes with transforms, and changes tables through
`run.publish` and `run.reject` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from contracts.jobs import Job
from contracts.lake import LakeTable
from spark_jobs import sizing
from spark_jobs.arguments import Arguments
from spark_jobs.changes import Change
from spark_jobs.lake import Lake
from spark_jobs.publishing import Outcome, publish
from spark_jobs.raw_zone import RawZone
from spark_jobs.rejects import reject
from spark_jobs.run_record import RunRecord
from spark_jobs.window import Window


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One run of one job.

    Attributes:
        spark: the session; time zone UTC.
        job: the job's entry in contracts.jobs.
        window: the hours that the run is about. For jobs that read events tables, what arrived in it is not all of
            what happened in it: late events change earlier days.
        arguments: what else the command line said.
        lake: names and existence of tables.
        raw: the raw bucket.
        record: counts for the run record; `run.publish` and `run.reject` keep their own.
        person_keys: gives the one-row frame that transforms.people takes; reads the secret at each call.
        tell_readers: publishes a notice (subject, text) to readers of tables.
    """

    spark: SparkSession
    job: Job
    window: Window
    arguments: Arguments
    lake: Lake
    raw: RawZone
    record: RunRecord
    person_keys: Callable[[], DataFrame]
    tell_readers: Callable[[str, str], None]

    def read(self, table: LakeTable) -> DataFrame:
        """What readers of the table see now, with the contract's columns; without rows while there is no table.

        A column that the table does not have yet is null.
        """
        return self.lake.read(table)

    def publish(self, table: LakeTable, change: Change) -> Outcome:
        """Change a table so that readers see all of it or nothing, after its expectations hold.

        The table is made, or given its missing columns, when that is due; a change that comes to nothing makes no
        commit.

        Raises:
            Refused: an expectation does not hold; readers go on seeing what they saw.
        """
        return publish(self, table, change)

    def reject(self, rows: DataFrame) -> dict[str, int]:
        """Keep refused rows and files in personal.rejected_rows, each once, and count them by reason code.

        `rows` hold source, file, reason_code, reason, column_name, event_id, original (see REJECTED_ROWS); columns
        that are absent are null.
        """
        return reject(self, rows)

    def fit(self, input_bytes: int) -> None:
        """Set Spark up for so many bytes of compressed input.

        That is the number of shuffle partitions, unless the command line says one, and whether it pays to compile
        code for each query: below SMALL_BYTES compiling costs more than it saves.
        """
        self.spark.conf.set("spark.sql.codegen.wholeStage", str(input_bytes >= sizing.SMALL_BYTES).lower())
        if not self.arguments.shuffle_partitions:
            wanted = sizing.size(input_bytes).shuffle_partitions
            # Days are spread by hash: with as many partitions as days, some would hold several and others none.
            least = min(4 * len(self.window.days), 200)
            self.spark.conf.set("spark.sql.shuffle.partitions", str(max(wanted, least)))
