"""The entry that runs any lake job by name, and what touches Spark's outside; what a job computes is in transforms."""
