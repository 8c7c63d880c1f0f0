"""Needs of requests to KMS, Secrets Manager, Parameter Store and the security token service.

It must not resolve aliases or secret names: who gives the parameters puts full ARNs in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rehearsal.engine.iam.model import ContextValue, Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, no_permission


def _key(parameters: Parameters, scope: Scope) -> str:
    name = str(parameters["KeyId"])
    if name.startswith(("arn:", "alias/")):
        return scope.arn("kms", name)
    return scope.arn("kms", f"key/{name}")


def _with_key(action: str) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        given = parameters.get("EncryptionContext") or {}
        context: dict[str, ContextValue] = {f"kms:EncryptionContext:{k}": str(v) for k, v in given.items()}
        if given:
            context["kms:EncryptionContextKeys"] = tuple(given)
        return [Need(action=action, resource=_key(parameters, scope), context=context)]

    return rule


def _re_encrypt(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    return [
        Need(action="kms:ReEncryptFrom", resource=_key({"KeyId": parameters["SourceKeyId"]}, scope)),
        Need(action="kms:ReEncryptTo", resource=_key({"KeyId": parameters["DestinationKeyId"]}, scope)),
    ]


def _alias(action: str) -> Rule:
    # KMS guide, "Controlling access to aliases": permission is needed on the alias and on the key.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        needs = [Need(action=action, resource=scope.arn("kms", str(parameters["AliasName"])))]
        if "TargetKeyId" in parameters:
            needs.append(Need(action=action, resource=_key({"KeyId": parameters["TargetKeyId"]}, scope)))
        return needs

    return rule


def _secret(parameters: Parameters, scope: Scope) -> str:
    name = str(parameters.get("SecretId") or f"{parameters['Name']}-000000")
    return name if name.startswith("arn:") else scope.arn("secretsmanager", f"secret:{name}")


def _secret_context(parameters: Parameters, secret: str) -> dict[str, ContextValue]:
    """What policies may ask of a request: the secret, the tags that it has (`ResourceTags`) and those it is given."""
    context: dict[str, ContextValue] = {"secretsmanager:SecretId": secret}
    for key, value in (parameters.get("ResourceTags") or {}).items():
        context[f"aws:ResourceTag/{key}"] = context[f"secretsmanager:ResourceTag/{key}"] = str(value)
    tags = parameters.get("Tags") or ()
    for tag in tags:
        context[f"aws:RequestTag/{tag['Key']}"] = str(tag["Value"])
    if tags:
        context["aws:TagKeys"] = tuple(str(tag["Key"]) for tag in tags)
    return context


def _secret_value(action: str, key_actions: Iterable[str]) -> Rule:
    # Secrets Manager guide, "Secret encryption and decryption in AWS Secrets Manager".
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        secret = _secret(parameters, scope)
        context = _secret_context(parameters, secret)
        if "VersionStage" in parameters:
            context["secretsmanager:VersionStage"] = str(parameters["VersionStage"])
        sealed = scope.key_needs(
            secret,
            via="secretsmanager",
            actions=key_actions,
            encryption_context={"SecretARN": secret},
            key=parameters.get("KmsKeyId"),
        )
        return [Need(action=action, resource=secret, context=context), *sealed]

    return rule


def _secret_change(action: str) -> Rule:
    with_value, without = _secret_value(action, _WRITE_SECRET), _secret_value(action, ())

    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        has_value = not action.endswith(("CreateSecret", "UpdateSecret")) or "SecretString" in parameters
        needs = list((with_value if has_value else without)(parameters, scope))
        if parameters.get("Tags"):
            # API reference, "CreateSecret": tags need the permission to set them.
            needs.append(
                Need(action="secretsmanager:TagResource", resource=needs[0].resource, context=needs[0].context)
            )
        return needs

    return rule


def _on_secret(action: str) -> Rule:
    return _secret_value(action, ())


def _rotate(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # API reference, "RotateSecret": the caller must be allowed to invoke the rotation function too.
    needs = list(_on_secret("secretsmanager:RotateSecret")(parameters, scope))
    if function := parameters.get("RotationLambdaARN"):
        context: dict[str, ContextValue] = {"secretsmanager:RotationLambdaARN": str(function), **needs[0].context}
        needs = [Need(action="secretsmanager:RotateSecret", resource=needs[0].resource, context=context)]
        needs.append(Need(action="lambda:InvokeFunction", resource=str(function)))
    return needs


def _batch_of_secrets(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    needs = [Need(action="secretsmanager:BatchGetSecretValue", resource="*")]
    read = _secret_value("secretsmanager:GetSecretValue", ["kms:Decrypt"])
    for name in parameters.get("SecretIdList") or ():
        needs += read({"SecretId": name}, scope)
    return needs


def _parameter(name: object, scope: Scope) -> str:
    text = str(name)
    if text.startswith("arn:"):
        return text
    return scope.arn("ssm", f"parameter/{text.split(':')[0].lstrip('/')}")


def _parameters(action: str, key_action: str = "") -> Rule:
    # Systems Manager guide, "AWS KMS encryption for Parameter Store SecureString parameters".
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        names = parameters.get("Names") or [parameters.get("Name") or parameters.get("Path")]
        needs = []
        for name in names:
            resource = _parameter(name, scope)
            needs.append(Need(action=action, resource=resource))
            if key_action == "kms:Encrypt" or parameters.get("WithDecryption"):
                needs += scope.key_needs(
                    resource, via="ssm", actions=[key_action], encryption_context={"PARAMETER_ARN": resource}
                )
        return needs

    return rule


def _assume_role(parameters: Parameters, _scope: Scope) -> Sequence[Need]:
    context = {"sts:RoleSessionName": str(parameters["RoleSessionName"])}
    if "ExternalId" in parameters:
        context["sts:ExternalId"] = str(parameters["ExternalId"])
    return [Need(action="sts:AssumeRole", resource=str(parameters["RoleArn"]), context=context)]


_KEY_OPERATIONS = (
    "Encrypt Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair "
    "GenerateDataKeyPairWithoutPlaintext GenerateMac VerifyMac Sign Verify DescribeKey GetPublicKey "
    "CreateGrant ListGrants RevokeGrant RetireGrant EnableKey DisableKey EnableKeyRotation "
    "DisableKeyRotation GetKeyRotationStatus GetKeyPolicy PutKeyPolicy ListKeyPolicies "
    "ListResourceTags TagResource UntagResource ScheduleKeyDeletion CancelKeyDeletion "
    "UpdateKeyDescription"
)
_ON_ONE = (
    "DescribeSecret DeleteSecret RestoreSecret CancelRotateSecret ListSecretVersionIds UpdateSecretVersionStage "
    "GetResourcePolicy PutResourcePolicy DeleteResourcePolicy ValidateResourcePolicy TagResource UntagResource"
)
_READ_SECRET, _WRITE_SECRET = ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")

TABLES: Mapping[str, Mapping[str, Rule]] = {
    "kms": {
        "ReEncrypt": _re_encrypt,
        **{name: _alias(f"kms:{name}") for name in ("CreateAlias", "DeleteAlias", "UpdateAlias")},
        **{name: _with_key(f"kms:{name}") for name in _KEY_OPERATIONS.split()},
        **{name: anywhere(f"kms:{name}") for name in ("CreateKey", "ListKeys", "ListAliases", "GenerateRandom")},
    },
    "secretsmanager": {
        "GetSecretValue": _secret_value("secretsmanager:GetSecretValue", _READ_SECRET),
        "BatchGetSecretValue": _batch_of_secrets,
        **{
            name: _secret_change(f"secretsmanager:{name}")
            for name in ("PutSecretValue", "UpdateSecret", "CreateSecret")
        },
        **{name: _on_secret(f"secretsmanager:{name}") for name in _ON_ONE.split()},
        "RotateSecret": _rotate,
        **{name: anywhere(f"secretsmanager:{name}") for name in ("ListSecrets", "GetRandomPassword")},
    },
    "ssm": {
        **{
            name: _parameters(f"ssm:{name}", "kms:Decrypt")
            for name in ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")
        },
        "PutParameter": _parameters("ssm:PutParameter", "kms:Encrypt"),
        **{name: _parameters(f"ssm:{name}") for name in ("DeleteParameter", "DeleteParameters")},
        "DescribeParameters": anywhere("ssm:DescribeParameters"),
    },
    "sts": {
        "AssumeRole": _assume_role,
        # STS reference, "GetCallerIdentity" and "GetSessionToken": no permissions are required.
        "GetCallerIdentity": no_permission,
        "GetSessionToken": no_permission,
        "GetAccessKeyInfo": anywhere("sts:GetAccessKeyInfo"),
        "DecodeAuthorizationMessage": anywhere("sts:DecodeAuthorizationMessage"),
    },
}
