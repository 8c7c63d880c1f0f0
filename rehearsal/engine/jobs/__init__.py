"""Job runs, as Glue and EMR on EKS start them; knows nothing of templates or of what a job computes."""
