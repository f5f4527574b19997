"""Removes resources of former deployments: versions of functions and layers, and artefacts in the bucket.

SAM keeps them all. With SnapStart each version of a function is paid by the second, and the code of all functions and
layers of an account may take 75 GB. The last three versions are kept, and whatever is in use: a version that an alias
points to, if only for a part of the requests; a layer of a version that is kept; an artefact that the deployed template
names. Lambda itself refuses to delete a version that an alias points to.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KEPT = 3

# As many as S3 deletes in one request.
_AT_ONCE = 1000


@dataclass(frozen=True)
class Removed:
    """How many were removed."""

    versions: int = 0
    layers: int = 0
    artefacts: int = 0

    def __str__(self) -> str:
        return (
            f"Removed of former deployments: {self.versions} versions of functions, {self.layers} of layers, "
            f"{self.artefacts} artefacts."
        )


@dataclass(frozen=True)
class Artefacts:
    """Where the SAM CLI puts archives and templates of one stack, and of no other. ``folder`` ends in a slash."""

    s3: Any
    bucket: str
    folder: str

    def remove(self, deployed: Mapping[str, Any]) -> int:
        """But for those that the deployed template names, and the last three templates and what they name."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.folder)
        written = {each["Key"]: each["LastModified"] for page in pages for each in page.get("Contents", [])}
        packaged = sorted((key for key in written if key.endswith(".template")), key=lambda key: written[key])
        kept = set(packaged[-KEPT:]) | self._named(json.dumps(deployed))
        for key in packaged[-KEPT:]:
            kept |= self._named(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode())
        gone = written.keys() - kept
        self._delete(gone)
        return len(gone)

    def _named(self, template: str) -> set[str]:
        return set(re.findall(rf"s3://{re.escape(self.bucket)}/({re.escape(self.folder)}[^\s\"']+)", template))

    def _delete(self, keys: Iterable[str]) -> None:
        """With all their versions: the SAM CLI's bucket keeps those of deleted objects, too."""
        wanted = set(keys)
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.folder)
        found = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for page in pages
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            if each["Key"] in wanted
        ]
        for start in range(0, len(found), _AT_ONCE):
            self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": found[start : start + _AT_ONCE]})


def remove(
    functions: Any,
    stack: str,
    resources: Iterable[Mapping[str, Any]],
    artefacts: Artefacts | None,
    deployed: Mapping[str, Any],
) -> Removed:
    """``functions``: a boto3 client of Lambda; ``resources``: those of the stack, as CloudFormation lists them.

    ``artefacts``: None where other stacks may have theirs in the same place. ``deployed``: the stack's template.
    """
    ids: dict[str, list[str]] = {}
    for each in resources:
        ids.setdefault(each["ResourceType"], []).append(each["PhysicalResourceId"])
    versions, in_use = 0, set()
    for function in ids.get("AWS::Lambda::Function", []):
        count, used = _remove_versions(functions, function)
        versions += count
        in_use |= used
    names = sorted({arn.split(":")[6] for arn in ids.get("AWS::Lambda::LayerVersion", [])})
    # A layer without the stack's name may be another stack's, too.
    layers = sum(_remove_layers(functions, name, in_use) for name in names if name.startswith(f"{stack}-"))
    return Removed(versions, layers, artefacts.remove(deployed) if artefacts else 0)


def _remove_versions(functions: Any, name: str) -> tuple[int, set[str]]:
    """How many were removed, and the ARNs of the layers of those that were not."""
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    found = {each["Version"]: each for page in pages for each in page["Versions"]}
    numbers = sorted((version for version in found if version.isdecimal()), key=int)
    kept = {"$LATEST", *numbers[-KEPT:]}
    for page in functions.get_paginator("list_aliases").paginate(FunctionName=name):
        for alias in page["Aliases"]:
            kept |= {alias["FunctionVersion"], *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})}
    gone = [version for version in numbers if version not in kept]
    for version in gone:
        functions.delete_function(FunctionName=name, Qualifier=version)
    layers = {layer["Arn"] for version in kept & found.keys() for layer in found[version].get("Layers", [])}
    return len(gone), layers


def _remove_layers(functions: Any, name: str, in_use: set[str]) -> int:
    pages = functions.get_paginator("list_layer_versions").paginate(LayerName=name)
    arns = {each["Version"]: each["LayerVersionArn"] for page in pages for each in page["LayerVersions"]}
    gone = [version for version in sorted(arns)[:-KEPT] if arns[version] not in in_use]
    for version in gone:
        functions.delete_layer_version(LayerName=name, VersionNumber=version)
    return len(gone)
