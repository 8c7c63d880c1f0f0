"""The versions that a cluster is made of, in one place: they are upgraded together, by the runbook for it.

It must not hold a version of anything that does not run in the cluster.
"""

KUBERNETES = "1.35"
"""EKS; within standard support, one behind the newest, so that EMR and Karpenter are tried on it."""

ADD_ONS = {
    "vpc-cni": "v1.23.0-eksbuild.1",
    "kube-proxy": "v1.35.3-eksbuild.18",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    "coredns": "v1.14.3-eksbuild.3",
}
"""What EKS looks after, by the versions that it has for this Kubernetes (`aws eks describe-addon-versions`).

Named, because one without a version stays what it was when Kubernetes is upgraded."""

KARPENTER = "1.14.1"
"""Charts and image; takes Kubernetes 1.35 since 1.9 ("Compatibility" page of Karpenter)."""

KARPENTER_IMAGE_DIGEST = "sha256:723130949e4cab989461ff07d1be4cd781d63515432494641b33c235f300ae23"
"""What the chart of that version names; a tag could be moved, a digest cannot."""

NODE_IMAGE = "al2023@v20260714"
"""Amazon Linux 2023 for EKS, amd64 and arm64; has images for Kubernetes 1.35 (release notes of amazon-eks-ami)."""

EMR_RELEASE = "emr-7.13.0-20260410"
"""Spark 3.5.6, Iceberg 1.10.0, Python 3.11, as Glue 5.1 has; dated, so that no run changes by itself ("Amazon EMR on
EKS 7.13.0 releases" page)."""
