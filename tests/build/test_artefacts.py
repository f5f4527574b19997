"""What is deployed to AWS: the same bytes whoever builds it, for the machine that runs it, and nothing beside it.

`make check` has built everything with the SAM CLI before these run; here it is built again, elsewhere and otherwise.
"""

import re
import zipfile
from pathlib import Path

import pytest

from infrastructure import build, package
from infrastructure import template as templates
from infrastructure.template import REPOSITORY

NAMES = list(templates.code_folders(templates.load()))
BUILT_BY_SAM = REPOSITORY / ".aws-sam" / "build"

# e_machine in an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_AARCH64 = 0xB7


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of archives, built in another folder from a source archive, as CodePipeline makes it."""
    root = tmp_path_factory.mktemp("sources")
    files = [REPOSITORY / "template.yaml", REPOSITORY / "samconfig.toml"]
    files += [
        file for name in ("functions", "layers", "infrastructure/cloudwatch") for file in (REPOSITORY / name).rglob("*")
    ]
    with zipfile.ZipFile(root / "sources.zip", "w") as archive:
        for file in files:
            if file.is_symlink():  # becomes a file with the text of the link
                archive.writestr(str(file.relative_to(REPOSITORY)), str(file.readlink()))
            elif file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(REPOSITORY))
    with zipfile.ZipFile(root / "sources.zip") as archive:
        archive.extractall(root)
    return build.build("arm64", root, tmp_path_factory.mktemp("dist"))


@pytest.mark.parametrize("name", NAMES)
def test_builds_in_two_folders_by_two_tools_are_byte_identical(name: str, built: Path) -> None:
    assert package.archive(BUILT_BY_SAM / name) == (built / f"{name}.zip").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_binaries_are_built_for_arm64_only(name: str, built: Path) -> None:
    with zipfile.ZipFile(built / f"{name}.zip") as archive:
        heads = {entry.filename: archive.read(entry)[:20] for entry in archive.infolist()}
    machines = {file: int.from_bytes(head[18:20], "little") for file, head in heads.items() if head[:4] == b"\x7fELF"}

    assert {file for file, machine in machines.items() if machine != _AARCH64} == set()
    assert {file for file in heads if file.endswith(".so")} == machines.keys()


def test_layers_that_need_binaries_contain_them(built: Path) -> None:
    with_binaries = {
        name
        for name in NAMES
        if any(file.endswith(".so") for file in zipfile.ZipFile(built / f"{name}.zip").namelist())
    }

    assert with_binaries == {"DependenciesLayer", "PasswordsLayer", "SigningLayer"}


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_contains_only_files_that_functions_read(name: str, built: Path) -> None:
    files = zipfile.ZipFile(built / f"{name}.zip").namelist()

    assert files
    assert [
        file
        for file in files
        if "__pycache__" in file
        or "/tests/" in file
        or file.endswith((".pyc", ".pyi"))
        or (".dist-info/" in file and not file.endswith("/METADATA"))
    ] == []


def test_the_page_states_the_archive_sizes(built: Path) -> None:
    page = (REPOSITORY / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+)(?:: [^|]+|, with its layers) \| ([\d,]*) \| ([\d,]+) \|$", page, re.MULTILINE)

    assert {name for name, *_ in rows} >= {name for name in NAMES if name.endswith("Layer")}
    for name, packed, unpacked in rows:
        archive = built / f"{name}.zip"
        layers = _layers_of(name)
        parts = [archive, *(built / f"{layer}.zip" for layer in layers)]
        assert _number(unpacked) == pytest.approx(sum(map(build.unpacked, parts)) / 1024, rel=0.05), name
        if packed:
            assert _number(packed) == pytest.approx(archive.stat().st_size / 1024, rel=0.05), name


def test_the_page_states_the_size_of_the_largest_asset(built: Path) -> None:
    page = (REPOSITORY / "docs" / "decisions" / "0018-api-description-from-the-code.md").read_text(encoding="utf-8")
    with zipfile.ZipFile(built / "ViewerLayer.zip") as archive:
        largest = max(entry.file_size for entry in archive.infolist())

    assert re.findall(r"The largest has ([\d.]+) MB", page) == [f"{largest / 1_000_000:.1f}"]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _layers_of(name: str) -> list[str]:
    properties = templates.load()["Resources"][name]["Properties"]
    return [layer["Ref"] for layer in properties.get("Layers", [])]


def test_the_deployed_template_differs_only_in_code_locations_versions_and_architecture(built: Path) -> None:
    original, deployed = templates.load(), templates.load(built / "template.json")

    for name, folder in templates.code_folders(original).items():
        deployed["Resources"][name]["Properties"].pop("AutoPublishCodeSha256", None)
        code = templates.CODE_PROPERTIES[original["Resources"][name]["Type"]]
        assert deployed["Resources"][name]["Properties"][code] == f"{name}.zip"
        deployed["Resources"][name]["Properties"][code] = folder
    assert deployed["Parameters"].pop("Architecture")["AllowedValues"] == ["arm64"]
    del original["Parameters"]["Architecture"]
    assert deployed == original


def test_closing_and_opening_the_routes_of_tasks_publishes_all_functions(built: Path) -> None:
    """Both are one version of the code with another parameter, and requests are served by published versions."""
    opened, closed = templates.load(built / "template-at-once.json"), templates.load(built / "template-closed.json")

    for name in templates.code_folders(opened):
        if opened["Resources"][name]["Type"] == "AWS::Serverless::Function":
            versions = [each["Resources"][name]["Properties"].pop("AutoPublishCodeSha256") for each in (opened, closed)]
            assert versions[0] != versions[1], name
    assert closed == opened
