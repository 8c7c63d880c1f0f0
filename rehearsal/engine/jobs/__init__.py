"""Job runs, as Glue (`glue`) and EMR on EKS (`emr`) start them; knows nothing of templates or of what a job computes."""
