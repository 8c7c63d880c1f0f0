"""The Glue security configuration under which jobs or crawlers write: logs and files under keys of ours.

It must not be shared by stacks: whoever runs under it must also be in the policy of the key of its logs.
"""

from aws_cdk import aws_glue, aws_kms
from constructs import Construct


class GlueSecurity(Construct):
    """Security configuration ``name``: log groups under ``log_key``, files that Glue itself writes under ``data_key``.

    Job bookmarks are covered too, though nothing here keeps any ("Encrypting data written by AWS Glue" page).
    """

    def __init__(
        self, scope: Construct, id: str, *, name: str, log_key: aws_kms.IKey, data_key: aws_kms.IKey | None
    ) -> None:
        """Make it; without ``data_key`` files are left to the default of the bucket that they go to."""
        super().__init__(scope, id)
        configuration = aws_glue.CfnSecurityConfiguration
        self.name = name
        self.configuration = configuration(
            self,
            "Configuration",
            name=name,
            encryption_configuration=configuration.EncryptionConfigurationProperty(
                cloud_watch_encryption=configuration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=log_key.key_arn
                ),
                job_bookmarks_encryption=configuration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=log_key.key_arn
                ),
                s3_encryptions=None
                if data_key is None
                else [configuration.S3EncryptionProperty(s3_encryption_mode="SSE-KMS", kms_key_arn=data_key.key_arn)],
            ),
        )
