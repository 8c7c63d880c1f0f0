"""Job runs of EMR on EKS; what executes them is shared (`rehearsal.engine.jobs.executions`)."""
