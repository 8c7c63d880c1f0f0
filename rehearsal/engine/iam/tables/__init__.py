"""What each operation of each service needs, one file for a group of services.

It must not repeat what the generic rule (`reference`) gets right from the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.engine.iam.scope import Rule
from rehearsal.engine.iam.tables import compute, data, emr, keys, messaging, s3, streaming

TABLES: Mapping[str, Mapping[str, Rule]] = {
    **compute.TABLES,
    **data.TABLES,
    **keys.TABLES,
    **messaging.TABLES,
    **streaming.TABLES,
    "emr-containers": emr.TABLE,
    "s3": s3.TABLE,
}
