"""Entry points that AWS Glue starts; what they run is in spark_jobs."""
