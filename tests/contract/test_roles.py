"""Roles of a deployment: CloudFormation may do what the template needs, and no template makes anybody an administrator.

Policies are evaluated by the local AWS's own evaluator, on the ARNs that the names of a stack ``tasksync-dev`` give.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from moto.iam.aws_managed_policies import aws_managed_policies_data

from infrastructure import template as templates
from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from infrastructure.template import REPOSITORY
from tests.support.sam_transform import transformed

PIPELINES = REPOSITORY / "infrastructure" / "pipelines"
STACK = "tasksync-dev"
IAM = f"arn:aws:iam::{ACCOUNT}:"
BOUNDARY = f"{IAM}policy/tasksync/pipelines/tasksync-environment-dev-Boundary-1"
# Also if somebody gave environment.yaml's stack a name that begins as that of the product.
BUILDER = f"{IAM}role/tasksync/pipelines/{STACK}-Builder-1"
ROLE = f"{IAM}role/{STACK}-UsersFunctionRole-1"
EVIL = f"{IAM}role/{STACK}-evil"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

TEMPLATE = templates.load()
ENVIRONMENT = templates.load(PIPELINES / "environment.yaml")["Resources"]
MANAGED_POLICIES = json.loads(aws_managed_policies_data)


RESOURCES = transformed()
ROLES = {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::IAM::Role"}


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


_KNOWN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "Environment": "dev",
    "Boundary": BOUNDARY,
    "LiveApi": "abc",
}


def _attribute(name: str, attribute: str) -> str:
    match RESOURCES[name]["Type"], attribute:
        case "AWS::DynamoDB::Table", "Arn":
            return _arn("dynamodb", f"table/{STACK}-{name}-1")
        case "AWS::SQS::Queue", "Arn":
            return _arn("sqs", f"{STACK}-{name}-1")
        case "AWS::SecretsManager::Secret", "Id":
            return _arn("secretsmanager", f"secret:{name}-1")
    raise ValueError(f"{name}.{attribute} is not understood")


def _resolved(part: Any) -> Any:
    """A part of a template with the references that its roles have."""
    match part:
        case {"Ref": name}:
            return _KNOWN[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return _attribute(name, attribute)
        case {"Fn::Sub": text}:
            return re.sub(
                r"\$\{([^}]+)\}",
                lambda found: _attribute(*found[1].split(".")) if "." in found[1] else _KNOWN[found[1]],
                text,
            )
        case {"Fn::ImportValue": {"Fn::Sub": text}} | {"Fn::ImportValue": text}:
            return BUILDER if _resolved({"Fn::Sub": text}) == f"{STACK}-builder" else f"{IAM}role/another"
        case dict():
            return {name: _resolved(each) for name, each in part.items()}
        case list():
            return [_resolved(each) for each in part]
    return part


def _parsed(*documents: Any) -> list[Any]:
    return [parse_policy_document(_resolved(document)) for document in documents]


def _inline(role: Mapping[str, Any]) -> list[Any]:
    return _parsed(*(each["PolicyDocument"] for each in role.get("Policies", [])))


BUILDERS = _inline(ENVIRONMENT["Builder"]["Properties"])
LIMIT = _parsed(ENVIRONMENT["Boundary"]["Properties"]["PolicyDocument"])


def _allowed(policies: Sequence[Any], action: str, resource: str, *limits: Any, **keys: str) -> bool:
    """``keys``: condition keys, as ``iam_PermissionsBoundary`` for ``iam:PermissionsBoundary``."""
    context = EvalContext(
        principal_arn=BUILDER,
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        service_context={key.replace("_", ":", 1).lower(): value for key, value in keys.items()},
    )
    return bool(evaluate(context, policies, *limits).decision == "Allow")


# ------------------------------------------------------------------------------------- what is needed

_WEBSOCKET_API = {
    "Api": "",
    "Stage": "/stages/live",
    "Authorizer": "/authorizers/1",
    "Integration": "/integrations/1",
    "IntegrationResponse": "/integrations/1/integrationresponses/1",
    "Route": "/routes/1",
    "RouteResponse": "/routes/1/routeresponses/1",
}
"""The kinds of resources of a WebSocket API, with the paths of one below the API."""

HANDLERS: dict[str, dict[str, list[str]]] = {
    # It has no schema with permissions: what it calls is from the handbook of Route 53.
    "AWS::Route53::RecordSet": {
        "on_resources": ["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:GetChange"]
    },
    # Theirs is from the Service Authorization Reference (API Gateway Management V2).
    **{
        f"AWS::ApiGatewayV2::{kind}": {
            "on_resources": ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"]
        }
        for kind in _WEBSOCKET_API
    },
    **json.loads((Path(__file__).parent / "cloudformation_handlers.json").read_text(encoding="utf-8"))["handlers"],
}

# What handlers call for properties that the template has not.
UNUSED_SERVICES = {
    *("amplify", "apprunner", "appsync", "bedrock-agentcore", "cognito-idp", "elasticloadbalancing"),
    *("ec2", "elasticfilesystem", "s3files", "firehose", "kinesis"),
}
UNUSED = {
    *("lambda:GetCodeSigningConfig", "lambda:PassCapacityProvider", "lambda:PutFunctionCodeSigningConfig"),
    *("codedeploy:RegisterOnPremisesInstance", "dynamodb:DescribeImport", "s3:REST.PUT.OBJECT"),
    *("logs:CreateLogDelivery", "logs:PutResourcePolicy"),
    # Of tables: import from a bucket, with its log; scaling; a stream of Kinesis.
    *("s3:GetObjectMetadata", "s3:ListBucket", "logs:CreateLogStream", "logs:PutLogEvents"),
    *("iam:CreateServiceLinkedRole", "logs:DescribeLogStreams"),
    # Refused on purpose.
    "iam:DeleteRolePermissionsBoundary",
}
FUNCTION = _arn("lambda", f"function:{STACK}-UsersFunction-1")
NAMES: dict[str, list[str]] = {
    "AWS::ApiGateway::BasePathMapping": [f"arn:aws:apigateway:{REGION}::/domainnames/api.example.org/basepathmappings"],
    "AWS::ApiGateway::Deployment": [f"arn:aws:apigateway:{REGION}::/restapis/abc/deployments"],
    "AWS::ApiGateway::DomainName": [f"arn:aws:apigateway:{REGION}::/domainnames/api.example.org"],
    "AWS::ApiGateway::RestApi": [f"arn:aws:apigateway:{REGION}::/restapis/abc"],
    "AWS::ApiGateway::Stage": [f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/live"],
    **{
        f"AWS::ApiGatewayV2::{kind}": [f"arn:aws:apigateway:{REGION}::/apis/abc{path}"]
        for kind, path in _WEBSOCKET_API.items()
    },
    "AWS::CloudWatch::Alarm": [_arn("cloudwatch", f"alarm:{STACK}-RolloutAlarm-1")],
    "AWS::CloudWatch::Dashboard": [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{STACK}"],
    "AWS::CodeDeploy::Application": [_arn("codedeploy", f"application:{STACK}-ServerlessDeploymentApplication-1")],
    "AWS::CodeDeploy::DeploymentGroup": [
        _arn("codedeploy", f"deploymentgroup:{STACK}-ServerlessDeploymentApplication-1/{STACK}-UsersFunction-1"),
        _arn("codedeploy", f"application:{STACK}-ServerlessDeploymentApplication-1"),
        _arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaAllAtOnce"),
    ],
    "AWS::DynamoDB::Table": [_arn("dynamodb", f"table/{STACK}-TasksTableV2-1")],
    "AWS::Events::Rule": [_arn("events", f"rule/{STACK}-SweeperFunctionSchedule-1")],
    "AWS::IAM::Role": [ROLE],
    "AWS::Lambda::EventSourceMapping": [_arn("lambda", "event-source-mapping:1")],
    "AWS::Lambda::Function": [FUNCTION],
    "AWS::Lambda::Permission": [FUNCTION],
    "AWS::Lambda::Version": [FUNCTION, f"{FUNCTION}:7"],
    "AWS::Route53::RecordSet": ["arn:aws:route53:::hostedzone/Z1", "arn:aws:route53:::change/C1"],
    "AWS::SNS::Subscription": [_arn("sns", f"{STACK}-Alarms-1")],
    "AWS::SNS::Topic": [_arn("sns", f"{STACK}-Alarms-1")],
    "AWS::SQS::Queue": [_arn("sqs", f"{STACK}-ActivityFailures-1")],
    "AWS::SecretsManager::Secret": [_arn("secretsmanager", "secret:PepperSecret-1")],
    "AWS::WAFv2::WebACL": [_arn("wafv2", "regional/webacl/Firewall-1/1")],
    "AWS::WAFv2::WebACLAssociation": [
        _arn("wafv2", "regional/webacl/Firewall-1/1"),
        f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/live",
    ],
}
NAMES["AWS::Lambda::Alias"] = [f"{FUNCTION}:live", FUNCTION, *NAMES["AWS::CodeDeploy::DeploymentGroup"]]
OTHERS = {
    "iam:": [ROLE],
    "s3:": ["arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1/1"],
    "kms:": [_arn("kms", "key/1")],
}


def _layers_and_log_groups() -> Iterator[tuple[str, str]]:
    """These are named in the template."""
    for resource in RESOURCES.values():
        match resource:
            case {"Type": "AWS::Lambda::LayerVersion", "Properties": {"LayerName": name}}:
                yield resource["Type"], _arn("lambda", f"layer:{_resolved(name)}:1")
                yield resource["Type"], _arn("lambda", f"layer:{_resolved(name)}")
            case {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}:
                yield "AWS::Logs::LogGroup", _arn("logs", f"log-group:{_resolved(name)}:*")
                yield "AWS::Logs::MetricFilter", _arn("logs", f"log-group:{_resolved(name)}:*")


for _type, _name in _layers_and_log_groups():
    NAMES.setdefault(_type, []).append(_name)

CALLS = [
    (kind, action, resources)
    for kind in sorted({each["Type"] for each in RESOURCES.values()})
    for where, actions in HANDLERS[kind].items()
    for action in actions
    if action.partition(":")[0] not in UNUSED_SERVICES and action not in UNUSED
    for resources in [
        ["*"] if where == "on_everything" else OTHERS.get(action[: action.index(":") + 1], NAMES[kind]),
    ]
]


@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in CALLS}))
def test_cloudformation_may_call_every_action_its_resource_handlers_need(kind: str) -> None:
    to = "codedeploy.amazonaws.com" if kind == "AWS::CodeDeploy::DeploymentGroup" else "lambda.amazonaws.com"
    keys = {"iam_PermissionsBoundary": BOUNDARY, "iam_PassedToService": to, "lambda_FunctionArn": FUNCTION}
    keys["kms_ViaService"] = f"{'dynamodb' if kind == 'AWS::DynamoDB::Table' else 'lambda'}.{REGION}.amazonaws.com"

    missing = [
        action
        for each, action, resources in CALLS
        if each == kind and not any(_allowed(BUILDERS, action, resource, **keys) for resource in resources)
    ]

    assert missing == []


@pytest.mark.parametrize("kind", ["AWS::Lambda::LayerVersion", "AWS::Logs::LogGroup"])
def test_cloudformation_may_change_every_name_that_the_template_gives(kind: str) -> None:
    action = {"AWS::Lambda::LayerVersion": "lambda:PublishLayerVersion", "AWS::Logs::LogGroup": "logs:CreateLogGroup"}

    assert [name for name in NAMES[kind] if not _allowed(BUILDERS, action[kind], name)] == []


# ------------------------------------------------------------------------------------- the boundary


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_the_permissions_boundary_of_the_parameter(role: str) -> None:
    given = templates.parameter_values(TEMPLATE, {"PermissionsBoundary": BOUNDARY})
    none = templates.parameter_values(TEMPLATE, {})

    assert templates.decided(TEMPLATE, given, ROLES[role])["PermissionsBoundary"] == {"Ref": "PermissionsBoundary"}
    assert "PermissionsBoundary" not in templates.decided(TEMPLATE, none, ROLES[role])


def _statements(role: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Action and resource of all that a role is granted, by the template and by policies of AWS."""
    documents = [_resolved(each["PolicyDocument"]) for each in role.get("Policies", [])]
    documents += [MANAGED_POLICIES[_resolved(arn).rpartition("/")[2]]["Document"] for arn in role["ManagedPolicyArns"]]
    for document in documents:
        for statement in document["Statement"]:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield action, resource


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# AWS's policies name no resources; these are the ones that are meant here.
MEANT = {
    "dynamodb": _arn("dynamodb", f"table/{STACK}-TasksTableV2-1/stream/1"),
    "lambda": f"{FUNCTION}:live",
    "logs": _arn("logs", f"log-group:/{STACK}/UsersFunction:log-stream:1"),
    "s3": "arn:aws:s3:::bucket/CodeDeploy/1",
    "sqs": _arn("sqs", f"{STACK}-DeliveryQueue-1"),
}
# For which IAM knows no resources, although it does for others of the service.
ON_EVERYTHING = {"dynamodb:ListStreams"}
# CodeDeploy's, for triggers and hooks that no rollout here has.
NOT_HERE = {"sns:Publish", "lambda:InvokeFunction"}


def _meant(action: str) -> str:
    return "*" if action in ON_EVERYTHING else MEANT.get(action.partition(":")[0], "*")


@pytest.mark.parametrize("role", ROLES)
def test_the_boundary_allows_what_the_roles_of_the_stack_are_granted(role: str) -> None:
    everything = _parsed({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    granted = [
        (action, _meant(action) if resource == "*" else resource)
        for action, resource in _statements(ROLES[role])
        if action not in NOT_HERE
    ]

    assert granted
    assert [each for each in granted if not _allowed(everything, *each, LIMIT)] == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateUser", f"{IAM}user/evil"),
        ("iam:CreateRole", EVIL),
        ("iam:PutRolePolicy", ROLE),
        ("iam:DeleteRolePermissionsBoundary", ROLE),
        ("iam:CreatePolicyVersion", BOUNDARY),
        ("iam:PassRole", BUILDER),
        ("sts:AssumeRole", f"{IAM}role/OrganizationAccountAccessRole"),
        ("cloudformation:CreateStack", _arn("cloudformation", f"stack/{STACK}/1")),
        ("lambda:UpdateFunctionCode", FUNCTION),
        ("lambda:InvokeFunction", FUNCTION),
        ("lambda:UpdateAlias", _arn("lambda", "function:other:live")),
        ("dynamodb:DeleteTable", _arn("dynamodb", f"table/{STACK}-TasksTableV2-1")),
        ("dynamodb:GetItem", _arn("dynamodb", "table/other")),
        ("secretsmanager:PutSecretValue", _arn("secretsmanager", "secret:PepperSecret-1")),
        ("logs:DeleteLogGroup", _arn("logs", f"log-group:/{STACK}/UsersFunction")),
        ("s3:GetObject", "arn:aws:s3:::other/secret"),
        ("execute-api:Invoke", _arn("execute-api", "abc/live/GET/rooms")),
        ("execute-api:ManageConnections", _arn("execute-api", "abc/other/POST/@connections/1")),
    ],
)
def test_the_boundary_limits_a_stack_role_with_all_rights(action: str, resource: str) -> None:
    administrator = _parsed(MANAGED_POLICIES["AdministratorAccess"]["Document"])

    assert _allowed(administrator, action, resource)
    assert not _allowed(administrator, action, resource, LIMIT)


def test_the_boundary_lists_each_action() -> None:
    statements = ENVIRONMENT["Boundary"]["Properties"]["PolicyDocument"]["Statement"]

    assert [action for each in statements for action in each["Action"] if "*" in action] == []
    assert {each["Effect"] for each in statements} == {"Allow"}


# ------------------------------------------------------------------------------------------- attacks


@pytest.mark.parametrize(
    ("action", "resource", "keys"),
    [
        ("iam:CreateRole", EVIL, {}),
        ("iam:CreateRole", EVIL, {"iam_PermissionsBoundary": ADMINISTRATOR}),
        ("iam:CreateRole", f"{IAM}role/evil", {"iam_PermissionsBoundary": BOUNDARY}),
        # To a role that somebody has made without a boundary, or with another one.
        ("iam:AttachRolePolicy", EVIL, {"iam_PolicyARN": ADMINISTRATOR}),
        ("iam:AttachRolePolicy", EVIL, {"iam_PolicyARN": ADMINISTRATOR, "iam_PermissionsBoundary": ADMINISTRATOR}),
        ("iam:PutRolePolicy", EVIL, {}),
        ("iam:PutRolePermissionsBoundary", ROLE, {"iam_PermissionsBoundary": ADMINISTRATOR}),
        ("iam:DeleteRolePermissionsBoundary", ROLE, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:CreatePolicy", f"{IAM}policy/{STACK}-evil", {}),
        ("iam:CreatePolicyVersion", BOUNDARY, {}),
        ("iam:SetDefaultPolicyVersion", BOUNDARY, {}),
        ("iam:DeletePolicyVersion", BOUNDARY, {}),
        ("iam:DeletePolicy", BOUNDARY, {}),
        # The role that CloudFormation itself has.
        ("iam:PutRolePolicy", BUILDER, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:AttachRolePolicy", BUILDER, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PutRolePermissionsBoundary", BUILDER, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:UpdateAssumeRolePolicy", BUILDER, {}),
        ("iam:DeleteRole", BUILDER, {}),
        ("iam:PassRole", BUILDER, {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("iam:PassRole", ROLE, {"iam_PassedToService": "ec2.amazonaws.com"}),
        ("iam:PassRole", f"{IAM}role/Admin", {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("iam:CreateUser", f"{IAM}user/evil", {}),
        ("iam:CreateAccessKey", f"{IAM}user/somebody", {}),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}role/Admin", {}),
        ("sts:AssumeRole", f"{IAM}role/Admin", {}),
        # Through what else is in the account.
        ("lambda:UpdateFunctionCode", _arn("lambda", "function:other"), {}),
        ("lambda:CreateEventSourceMapping", "*", {"lambda_FunctionArn": _arn("lambda", "function:other")}),
        ("cloudformation:CreateStack", _arn("cloudformation", "stack/other/1"), {}),
        ("cloudformation:UpdateStack", _arn("cloudformation", "stack/tasksync-environment-dev/1"), {}),
        ("ssm:SendCommand", _arn("ec2", "instance/i-1"), {}),
        ("s3:GetObject", "arn:aws:s3:::other/secret", {}),
        ("kms:Decrypt", _arn("kms", "key/1"), {}),
    ],
)
def test_a_template_cannot_escalate_its_rights(action: str, resource: str, keys: dict[str, str]) -> None:
    assert not _allowed(BUILDERS, action, resource, **keys)


def test_only_cloudformation_can_assume_the_stack_role() -> None:
    [statement] = ENVIRONMENT["Builder"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    assert ENVIRONMENT["Builder"]["Properties"].get("ManagedPolicyArns", []) == []


# ------------------------------------------------------------------------------------ who hands over

STACK_ARN = _arn("cloudformation", f"stack/{STACK}/1")
MANAGED = _arn("cloudformation", "stack/aws-sam-cli-managed-default/1")
BUCKET = "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1"


@functools.cache
def _deployer(file: str) -> list[Any]:
    resources = templates.load(PIPELINES / file)["Resources"]
    role = (resources.get("Deployer") or resources["DeployRole"])["Properties"]
    [policy] = role["Policies"]
    statements = [
        each
        for each in policy["PolicyDocument"]["Statement"]
        # Those of the pipeline's own bucket and logs name resources of its stack.
        if each["Sid"] not in {"Logs", "Artifacts"}
    ]
    return _parsed({"Statement": statements})


@pytest.mark.parametrize("file", ["github-oidc.yaml", "pipeline.yaml"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # What sam deploy and infrastructure.release call, in their order.
        ("cloudformation:DescribeStacks", MANAGED),
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", f"{BUCKET}/{STACK}/1"),
        ("s3:PutObject", f"{BUCKET}/{STACK}/1"),
        ("cloudformation:DescribeStacks", STACK_ARN),
        ("cloudformation:GetTemplate", STACK_ARN),
        ("cloudformation:GetTemplateSummary", STACK_ARN),
        ("cloudformation:CreateChangeSet", STACK_ARN),
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{REGION}:aws:transform/Serverless-2016-10-31"),
        ("cloudformation:DescribeChangeSet", STACK_ARN),
        ("cloudformation:DeleteChangeSet", STACK_ARN),
        ("cloudformation:ExecuteChangeSet", STACK_ARN),
        ("cloudformation:DescribeStackEvents", STACK_ARN),
        ("iam:PassRole", BUILDER),
        # What former deployments have left.
        ("cloudformation:ListStackResources", STACK_ARN),
        ("lambda:ListAliases", FUNCTION),
        ("lambda:ListVersionsByFunction", FUNCTION),
        ("lambda:UpdateAlias", FUNCTION),
        ("lambda:DeleteFunction", f"{FUNCTION}:7"),
        ("lambda:ListLayerVersions", "*"),
        ("lambda:DeleteLayerVersion", _arn("lambda", f"layer:{STACK}-TasksyncLayer:1")),
        ("s3:ListBucketVersions", BUCKET),
        ("s3:DeleteObjectVersion", f"{BUCKET}/{STACK}/1"),
        # What make smoke looks at.
        ("apigateway:GET", f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/live"),
        ("cloudwatch:DescribeAlarms", _arn("cloudwatch", "alarm:*")),
        ("dynamodb:DescribeTable", _arn("dynamodb", f"table/{STACK}-TasksTableV2-1")),
        ("lambda:ListEventSourceMappings", "*"),
    ],
)
def test_a_deployer_may_deploy(file: str, action: str, resource: str) -> None:
    assert _allowed(_deployer(file), action, resource, iam_PassedToService="cloudformation.amazonaws.com")


@pytest.mark.parametrize("file", ["github-oidc.yaml", "pipeline.yaml"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # Made by hand, in the first deployment.
        ("cloudformation:CreateChangeSet", MANAGED),
        ("cloudformation:ExecuteChangeSet", MANAGED),
        ("s3:CreateBucket", BUCKET),
        ("s3:PutBucketPolicy", BUCKET),
        # What holds the boundary, and the pipeline.
        ("cloudformation:CreateChangeSet", _arn("cloudformation", "stack/tasksync-environment-dev/1")),
        ("cloudformation:CreateChangeSet", _arn("cloudformation", "stack/tasksync-pipeline/1")),
        ("cloudformation:CreateChangeSet", _arn("cloudformation", "stack/tasksync-github-dev/1")),
        ("cloudformation:DeleteStack", STACK_ARN),
        ("iam:PassRole", f"{IAM}role/Admin"),
        ("iam:CreateRole", EVIL),
        ("lambda:UpdateFunctionCode", FUNCTION),
        ("lambda:DeleteFunction", FUNCTION),
        ("dynamodb:GetItem", _arn("dynamodb", f"table/{STACK}-TasksTableV2-1")),
        ("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/live"),
    ],
)
def test_a_deployer_may_do_nothing_else(file: str, action: str, resource: str) -> None:
    keys = {"iam_PassedToService": "cloudformation.amazonaws.com", "iam_PermissionsBoundary": BOUNDARY}

    assert not _allowed(_deployer(file), action, resource, **keys)
