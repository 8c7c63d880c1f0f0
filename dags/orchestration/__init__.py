"""What the DAGs share: how a job is submitted, which code a run has, who is told of a failure; declares no DAG."""
