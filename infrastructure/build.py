"""`make build`: everything that is deployed to AWS, as files that are the same whoever builds them, wherever and when.

``dist/arm64/`` has an archive for each function and layer, and ``template.json``, which is ``template.yaml`` with the
archives in place of folders and with the version of each function. ``template-at-once.json`` is the same without
CodeDeploy, to put an earlier version back by hand. ``template-closed.json`` is that one with other versions of the
functions: ``infrastructure/tasks_move.py`` deploys it first, and a parameter alone makes no version.
"""

import argparse
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infrastructure import package, tasks_move
from infrastructure import template as templates
from infrastructure.local.deploy import for_ministack
from infrastructure.local.errors import BuildFailed
from infrastructure.local.stack import KEPT_ARCHIVES

DIST = templates.REPOSITORY / "dist"
TEMPLATE, AT_ONCE, CLOSED = "template.json", "template-at-once.json", "template-closed.json"
_SETTINGS = "samconfig.toml"

# What a function and its layers may take together, in bytes, unpacked.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LIMIT = 250 * 1024 * 1024


def build(machine: str, root: Path = templates.REPOSITORY, dist: Path = DIST) -> Path:
    """Builds all functions and layers of the template in ``root``; the folder that has them. Raises BuildFailed."""
    template = templates.load(root / "template.yaml")
    python = template["Globals"]["Function"]["Runtime"].removeprefix("python")
    folder = dist / machine
    with tempfile.TemporaryDirectory() as made:
        archives = package.build(template, root, Path(made), target=package.Target(machine, python))
        template["Parameters"]["Architecture"] |= {"Default": machine, "AllowedValues": [machine]}
        # Parameters are given by that file: where it changes, functions have to be published again.
        write(folder, template, archives, (root / _SETTINGS).read_text(encoding="utf-8"))
    return folder


def build_for_local_aws(
    folder: Path = DIST / "local", root: Path = templates.REPOSITORY, more: Mapping[str, Any] = MappingProxyType({})
) -> Path:
    """Builds for the local AWS: for this machine, and without what the local AWS does not have.

    ``root``: the folder of the code. ``more``: resources beside those of the template. Raises BuildFailed.
    """
    template = for_ministack(templates.load())
    template["Resources"] |= more
    archives = package.build(template, root, KEPT_ARCHIVES)
    write(folder, template, archives, configuration="")
    return folder


def write(folder: Path, template: Mapping[str, Any], archives: Mapping[str, Path], configuration: str) -> None:
    """What is deployed, in a folder of its own: the archives, and the template with their places and the versions.

    ``configuration``: whatever else decides how functions run.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, archive in archives.items():
        shutil.copyfile(archive, folder / f"{name}.zip")
    digests = {name: package.digest(archive) for name, archive in archives.items()}
    located = templates.with_code_locations(template, {name: f"{name}.zip" for name in archives})
    built = templates.with_versions(located, digests, configuration)
    closed = templates.with_versions(located, digests, configuration + json.dumps(tasks_move.CLOSED))
    for name, content in {
        TEMPLATE: built,
        AT_ONCE: templates.without_gradual_rollout(built),
        CLOSED: templates.without_gradual_rollout(closed),
    }.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")


def unpacked(archive: Path) -> int:
    """Bytes of the files in an archive."""
    with zipfile.ZipFile(archive) as file:
        return sum(entry.file_size for entry in file.infolist())


def _report(folder: Path, template: Mapping[str, Any]) -> None:
    """Sizes of archives, and of what each function unpacks to; a digest each."""
    print(f"{'':28}{'archive':>10}{'unpacked':>10}{'and layers':>12}  SHA-256")
    for name in sorted(templates.code_folders(template)):
        archive = folder / f"{name}.zip"
        layers = [layer["Ref"] for layer in template["Resources"][name]["Properties"].get("Layers", [])]
        whole = sum(unpacked(folder / f"{each}.zip") for each in (name, *layers))
        if whole > _LIMIT:
            raise BuildFailed(f"{name} takes {whole} bytes with its layers; Lambda takes {_LIMIT}.")
        together = f"{whole / 1024:9,.0f} kB" if layers else ""
        print(
            f"{name:28}{archive.stat().st_size / 1024:7,.0f} kB{unpacked(archive) / 1024:7,.0f} kB{together:>12}"
            f"  {package.digest(archive)[:16]}"
        )
    print(f"\n{folder}: deployed by make deploy ENV=…")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", choices=["arm64", "x86_64"], default="arm64", help="what the functions run on")
    parser.add_argument("--local-aws", action="store_true", help="for the AWS endpoint of make run, to rehearse")
    arguments = parser.parse_args()
    try:
        folder = build_for_local_aws() if arguments.local_aws else build(arguments.machine)
        _report(folder, json.loads((folder / "template.json").read_text(encoding="utf-8")))
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
