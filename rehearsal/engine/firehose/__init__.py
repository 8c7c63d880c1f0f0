"""How Amazon Data Firehose carries records from a stream to S3; the resource type is `services.firehose`."""
