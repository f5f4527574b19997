"""What is removed after a deployment, and what never is."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from infrastructure import leftovers

STACK = "tasksync-dev"
BUCKET = "artefacts"
ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def archive(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("handler.py", content)
    return file.getvalue()


@dataclass
class Account:
    """An account with a function, a layer and a bucket, all of which have had ``deploy`` some versions."""

    functions: Any
    s3: Any
    function: str = f"{STACK}-AuthFunction"
    layer: str = f"{STACK}-TasksyncLayer"

    @property
    def resources(self) -> list[dict[str, str]]:
        """As CloudFormation lists them."""
        arn = f"arn:aws:lambda:us-east-1:123456789012:layer:{self.layer}:1"
        return [
            {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": self.function},
            {"ResourceType": "AWS::Lambda::LayerVersion", "PhysicalResourceId": arn},
            {"ResourceType": "AWS::DynamoDB::Table", "PhysicalResourceId": "users"},
        ]

    def deploy(self, number: int, folder: str = f"{STACK}/") -> dict[str, Any]:
        """Another version of all, and the template that it was deployed from."""
        code = archive(f"VERSION = {number}")
        made = self.functions.publish_layer_version(LayerName=self.layer, Content={"ZipFile": code})
        layers = [made["LayerVersionArn"]]
        if number == 1:
            role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(ROLE))
            self.functions.create_function(
                FunctionName=self.function,
                Runtime="python3.13",
                Handler="handler.handler",
                Role=role["Role"]["Arn"],
                Code={"ZipFile": code},
                Layers=layers,
            )
        else:
            self.functions.update_function_code(FunctionName=self.function, ZipFile=code)
            self.functions.update_function_configuration(FunctionName=self.function, Layers=layers)
        version = self.functions.publish_version(FunctionName=self.function)["Version"]
        point = self.functions.create_alias if number == 1 else self.functions.update_alias
        point(FunctionName=self.function, Name="live", FunctionVersion=version)
        template = {"Resources": {"AuthFunction": {"CodeUri": f"s3://{BUCKET}/{folder}archive-{number}"}}}
        for key, content in ((f"archive-{number}", code), (f"{number}.template", json.dumps(template).encode())):
            self.s3.put_object(Bucket=BUCKET, Key=folder + key, Body=content)
        return template

    def versions(self) -> list[str]:
        found = self.functions.list_versions_by_function(FunctionName=self.function)["Versions"]
        return [each["Version"] for each in found]

    def layers(self) -> list[int]:
        found = self.functions.list_layer_versions(LayerName=self.layer)["LayerVersions"]
        return sorted(each["Version"] for each in found)

    def objects(self) -> set[str]:
        """With those that only a version is left of."""
        found = self.s3.list_object_versions(Bucket=BUCKET)
        return {each["Key"] for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))}

    def remove(self, template: dict[str, Any]) -> leftovers.Removed:
        artefacts = leftovers.Artefacts(self.s3, BUCKET, f"{STACK}/")
        return leftovers.remove(self.functions, STACK, self.resources, artefacts, template)


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        BackendDict.reset()  # of what other tests of this process have left
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        # As the bucket that the SAM CLI makes.
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Account(boto3.client("lambda"), s3)


def test_the_last_three_versions_stay_with_their_layers_and_artefacts(account: Account) -> None:
    *_, template = [account.deploy(number) for number in range(1, 7)]

    removed = account.remove(template)

    assert account.versions() == ["$LATEST", "4", "5", "6"]
    assert account.layers() == [4, 5, 6]
    assert account.objects() == {f"{STACK}/{each}" for n in (4, 5, 6) for each in (f"archive-{n}", f"{n}.template")}
    assert removed == leftovers.Removed(versions=3, layers=3, artefacts=6)
    assert account.remove(template) == leftovers.Removed()


def test_a_version_with_an_alias_of_any_weight_stays(account: Account) -> None:
    *_, template = [account.deploy(number) for number in range(1, 8)]
    account.functions.update_alias(
        FunctionName=account.function,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}},
    )

    account.remove(template)

    assert account.versions() == ["$LATEST", "1", "3", "5", "6", "7"]
    assert account.layers() == [1, 3, 5, 6, 7]


def test_versions_named_by_the_deployed_template_stay_however_old(account: Account) -> None:
    """A template that is deployed again is not uploaded again, nor are its archives."""
    first, *_ = [account.deploy(number) for number in range(1, 7)]

    account.remove(first)

    assert f"{STACK}/archive-1" in account.objects()
    assert f"{STACK}/archive-2" not in account.objects()


def test_versions_of_other_stacks_stay(account: Account) -> None:
    account.layer = "TasksyncLayer"
    *_, template = [account.deploy(number, folder="") for number in range(1, 7)]

    removed = account.remove(template)

    assert removed == leftovers.Removed(versions=3)
    assert account.layers() == [1, 2, 3, 4, 5, 6]
    assert len(account.objects()) == 12
