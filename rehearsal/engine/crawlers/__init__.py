"""AWS Glue crawlers: what they read, what they infer and what they write into the Data Catalog."""
