"""Archives of code."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infrastructure import package
from infrastructure.local.errors import BuildFailed


def function(folder: str) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": folder}}


def layer(folder: str) -> dict[str, Any]:
    properties = {"ContentUri": folder}
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": properties, "Metadata": {"BuildMethod": "makefile"}}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_equal_files_make_equal_bytes_at_any_time_and_place(tmp_path: Path) -> None:
    write(tmp_path / "one", {"a/routes.py": "A = 1\n", "b.py": ""})
    write(tmp_path / "two", {"b.py": "", "a/routes.py": "A = 1\n"})
    os.utime(tmp_path / "two" / "b.py", (0, 0))

    assert package.archive(tmp_path / "one") == package.archive(tmp_path / "two")


def test_compiled_python_is_excluded(tmp_path: Path) -> None:
    write(tmp_path, {"routes.py": "", "__pycache__/routes.cpython-313.pyc": "", "a/__pycache__/b.pyc": ""})

    content = zipfile.ZipFile(io.BytesIO(package.archive(tmp_path)))

    assert content.namelist() == ["routes.py"]


def test_an_archive_name_changes_only_with_its_content(tmp_path: Path) -> None:
    template = {"Resources": {"Rooms": function("rooms/"), "Tasks": function("tasks/")}}
    write(tmp_path, {"rooms/routes.py": "A = 1\n", "tasks/routes.py": "A = 1\n"})
    before = package.build(template, tmp_path, tmp_path / "kept")

    write(tmp_path, {"rooms/routes.py": "A = 2\n"})
    after = package.build(template, tmp_path, tmp_path / "kept")

    assert after["Tasks"] == before["Tasks"]
    assert after["Rooms"] != before["Rooms"]
    assert zipfile.ZipFile(after["Rooms"]).read("routes.py") == b"A = 2\n"


def test_a_layer_is_built_by_its_makefile_once(tmp_path: Path) -> None:
    template = {"Resources": {"SharedLayer": layer("shared/")}}
    makefile = "build-SharedLayer:\n\tmkdir $(ARTIFACTS_DIR)/python\n\tcp module.py $(ARTIFACTS_DIR)/python\n"
    write(tmp_path, {"shared/Makefile": makefile, "shared/module.py": "A = 1\n"})
    lines: list[str] = []

    built = package.build(template, tmp_path, tmp_path / "kept", lines.append)
    again = package.build(template, tmp_path, tmp_path / "kept", lines.append)

    assert zipfile.ZipFile(built["SharedLayer"]).namelist() == ["python/module.py"]
    assert again == built
    assert lines == ["Building SharedLayer"]


def test_a_failing_recipe_is_reported_in_one_sentence(tmp_path: Path) -> None:
    template = {"Resources": {"SharedLayer": layer("shared/")}}
    write(tmp_path, {"shared/Makefile": "build-SharedLayer:\n\t@echo 'ERROR: no such package' >&2; exit 1\n"})

    with pytest.raises(BuildFailed, match=r"^SharedLayer could not be built: ERROR: no such package$"):
        package.build(template, tmp_path, tmp_path / "kept")

    assert list((tmp_path / "kept").iterdir()) == []


def test_a_function_without_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"^Rooms has no code: there is no folder rooms/\.$"):
        package.build({"Resources": {"Rooms": function("rooms/")}}, tmp_path, tmp_path / "kept")
