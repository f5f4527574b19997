"""The template as the local stack reads it."""

import json
import textwrap
from pathlib import Path

from infrastructure import template


def test_short_forms_of_intrinsic_functions_equal_the_long_forms(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        textwrap.dedent("""
        Version: 2012-10-17
        Table: !Ref Users
        Arn: !GetAtt Users.Arn
        Index: !Sub "${Users.Arn}/index/*"
        Joined: !Join ["/", [a, !Ref Users]]
        """)
    )

    found = template.load(file)

    assert found == {
        "Version": "2012-10-17",
        "Table": {"Ref": "Users"},
        "Arn": {"Fn::GetAtt": ["Users", "Arn"]},
        "Index": {"Fn::Sub": "${Users.Arn}/index/*"},
        "Joined": {"Fn::Join": ["/", ["a", {"Ref": "Users"}]]},
    }


def test_an_include_becomes_what_the_file_beside_the_template_has(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Body: [{Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/body.yaml}}}]")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "body.yaml").write_text('Fn::Sub: "in ${AWS::Region}"')

    assert template.load(file) == {"Body": [{"Fn::Sub": "in ${AWS::Region}"}]}


def test_entries_that_an_anchor_repeats_are_changed_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        textwrap.dedent("""
        First: &first {Limits: [1, 2]}
        Second: *first
        Third: {<<: *first, Name: third}
        """)
    )

    found = template.load(file)
    found["First"]["Limits"].append(3)

    assert found == {
        "First": {"Limits": [1, 2, 3]},
        "Second": {"Limits": [1, 2]},
        "Third": {"Limits": [1, 2], "Name": "third"},
    }


def test_the_template_as_it_is_deployed_needs_no_other_file_but_code() -> None:
    assert "Fn::Transform" not in json.dumps(template.load())


def test_the_packaged_template_differs_only_in_code_locations() -> None:
    original = template.load()
    folders = template.code_folders(original)

    packaged = template.with_code_locations(original, {name: f"s3://bucket/{name}" for name in folders})

    assert template.code_folders(packaged) == {name: f"s3://bucket/{name}" for name in folders}
    assert template.with_code_locations(packaged, folders) == original


def test_packaging_does_not_modify_the_original() -> None:
    original = template.load()
    folders = template.code_folders(original)

    template.with_code_locations(original, dict.fromkeys(folders, "s3://bucket/key"))

    assert original == template.load()


def test_every_code_folder_exists() -> None:
    folders = template.code_folders(template.load())

    assert folders
    assert [folder for folder in folders.values() if not (template.REPOSITORY / folder).is_dir()] == []


def test_a_missing_parameter_has_its_default() -> None:
    declared = {"Parameters": {"Cost": {"Default": 12}, "Level": {"Default": "INFO"}}}

    assert template.parameter_values(declared, {"Cost": "10"}) == {"Cost": "10", "Level": "INFO"}


def test_conditions_are_evaluated_with_the_given_parameters() -> None:
    made = {
        "Conditions": {
            "Wanted": {"Fn::Equals": [{"Ref": "Mode"}, "on"]},
            "Given": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mode"}, ""]}]},
        }
    }
    part = {
        "a": {"Fn::If": ["Wanted", "yes", {"Ref": "AWS::NoValue"}]},
        "b": [{"Fn::If": ["Wanted", 1, {"Ref": "AWS::NoValue"}]}, {"Fn::If": ["Given", 2, 3]}],
    }

    assert template.decided(made, {"Mode": "on"}, part) == {"a": "yes", "b": [1, 2]}
    assert template.decided(made, {"Mode": "off"}, part) == {"b": [2]}
    assert template.decided(made, {"Mode": ""}, part) == {"b": [3]}


def _versions(digests: dict[str, str], configuration: str = "") -> dict[str, str]:
    properties = {"CodeUri": "rooms/", "Layers": [{"Ref": "Shared"}]}
    resources = {
        "Rooms": {"Type": "AWS::Serverless::Function", "Properties": properties},
        "Tasks": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "tasks/"}},
        "Shared": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "shared/"}},
    }
    versioned = template.with_versions({"Resources": resources}, digests, configuration)["Resources"]
    return {name: versioned[name]["Properties"]["AutoPublishCodeSha256"] for name in ("Rooms", "Tasks")}


def test_a_function_has_a_new_version_only_when_its_code_or_a_layer_changes() -> None:
    digests = {"Rooms": "1", "Tasks": "2", "Shared": "3"}
    before = _versions(digests)

    own, layer = _versions(digests | {"Rooms": "4"}), _versions(digests | {"Shared": "5"})

    assert _versions(digests) == before
    assert own["Rooms"] != before["Rooms"] != layer["Rooms"] != own["Rooms"]
    assert own["Tasks"] == before["Tasks"] == layer["Tasks"]


def test_every_function_has_a_new_version_when_the_configuration_changes() -> None:
    digests = {"Rooms": "1", "Tasks": "2", "Shared": "3"}
    before, after = _versions(digests, "LogLevel=INFO"), _versions(digests, "LogLevel=DEBUG")

    assert not before.items() & after.items()
