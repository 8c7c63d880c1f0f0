"""The few physical names that a person or a string-addressed service needs; CloudFormation makes all others.

It must not name what a construct can pass on as an object.
"""

from config.model import Part, Stage

SYSTEM = "Amp"


def stack_name(*, stage: Stage, part: Part) -> str:
    """CloudFormation stack: operators type it."""
    return f"{SYSTEM}-{stage.name}-{part.value}"


def stack_name_prefix(*, stage: Stage) -> str:
    """What all stack names of a stage begin with, and so the names of their alarms."""
    return f"{SYSTEM}-{stage.name}-"


def database_name(*, stage: Stage, zone: str) -> str:
    """Glue database of a zone (`raw`, `transformed`): analysts type it in every query."""
    return f"{database_prefix(stage=stage)}_{zone}"


def database_prefix(*, stage: Stage) -> str:
    """What the names of a stage's Glue databases begin with: jobs are told it and add the zone."""
    return f"{SYSTEM.lower()}_{stage.name}"


def bucket_name(*, stage: Stage, zone: str, account: str, region: str) -> str:
    """Bucket of a zone: jobs and people address it by name, and policies that it depends on must name it.

    Account and Region make it unique and keep strangers from guessing which of them is whose.
    """
    return f"{SYSTEM.lower()}-{stage.name}-{zone}-{account}-{region}"


def log_group_prefix(*, stage: Stage, part: Part) -> str:
    """What the log groups of a part begin with: operators look for it, its key's policy is limited to it."""
    return f"/{SYSTEM.lower()}/{stage.name}/{part.value}"


def key_alias(*, stage: Stage, purpose: str) -> str:
    """Alias of a KMS key: people tell keys apart by it."""
    return f"alias/{SYSTEM.lower()}/{stage.name}/{purpose}"


def metrics_namespace(*, stage: Stage) -> str:
    """CloudWatch namespace of the functions' own metrics."""
    return f"{SYSTEM}/{stage.name}"


def job_name(*, stage: Stage, job: str) -> str:
    """Glue job: operators and schedules start it by name, its log groups are called after it."""
    return f"{SYSTEM.lower()}-{stage.name}-{job.replace('_', '-')}"


def security_configuration_name(*, stage: Stage, part: Part) -> str:
    """Glue security configuration: Glue takes it by name and puts the name into those of log groups."""
    return f"{SYSTEM.lower()}-{stage.name}-{part.value}"


def crawler_name_prefix(*, stage: Stage) -> str:
    """What the names of a stage's crawlers begin with; the dataset follows."""
    return f"{SYSTEM.lower()}-{stage.name}-batch-"


def crawler_name(*, stage: Stage, dataset: str) -> str:
    """Glue crawler of a dataset: the function that starts it and operators know it by name."""
    return f"{crawler_name_prefix(stage=stage)}{dataset}"


def reader_role_name(*, stage: Stage, grant: str) -> str:
    """Role of a read grant: other teams' policies name it."""
    return f"{SYSTEM.lower()}-{stage.name}-reader-{grant}"


def cluster_identifier(*, stage: Stage, cluster: str) -> str:
    """Redshift cluster: clients, commands and the names of its audit logs say it."""
    return f"{SYSTEM.lower()}-{stage.name}-{cluster}"


def warehouse_secret_prefix(*, stage: Stage, cluster: str) -> str:
    """What the names of the secrets of a cluster's users begin with; the user follows."""
    return f"{SYSTEM.lower()}/{stage.name}/warehouse/{cluster}/"


def workgroup_name(*, stage: Stage) -> str:
    """Athena workgroup: analysts choose it in the console."""
    return f"{SYSTEM.lower()}-{stage.name}"


def eks_cluster_name(*, stage: Stage) -> str:
    """EKS cluster: condition keys of policies and tags of nodes hold it, where no reference can stand."""
    return f"{SYSTEM.lower()}-{stage.name}"


def virtual_cluster_name(*, stage: Stage) -> str:
    """EMR virtual cluster: whoever submits a run finds it by name."""
    return f"{SYSTEM.lower()}-{stage.name}"


def job_templates_parameter(*, stage: Stage) -> str:
    """SSM parameter with the ids of EMR's job templates: whoever submits a run reads it by name each time."""
    return f"/{SYSTEM.lower()}/{stage.name}/emr-on-eks/job-templates"


def airflow_environment_name(*, stage: Stage) -> str:
    """MWAA environment: the names of its log groups, and the dimensions of its metrics, hold it."""
    return f"{SYSTEM.lower()}-{stage.name}"


def emr_job_role_name(*, stage: Stage, job: str) -> str:
    """Role of a job on EMR: EMR puts the name into those of the service accounts that the job's pods run as."""
    return f"{SYSTEM.lower()}-{stage.name}-emr-{job.replace('_', '-')}"
