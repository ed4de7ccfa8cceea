"""Terraform and Bicep of one project ask Azure for the same resources with the same settings."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from azurerm_stand_in import MAP
from bicep_functions import SUBSCRIPTION, RefusedError
from bicep_reader import read_bicep
from conftest import ROOT
from infrastructure import differences, normal_form
from mlops_new.catalog import load_catalog
from mlops_new.engine import Renderer
from mlops_new.lint.bicep_tree import body_of, first, key_of, parse, properties, walk
from terraform_reader import Terraform, read_terraform, terraform

PATTERNS = sorted(load_catalog(ROOT).patterns)
CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
ENVIRONMENTS = ("dev", "test", "prod")
START = "2026-12-01T00:00:00Z"
GROUPS = f"{SUBSCRIPTION}/resourceGroups"
# What every environment has, and what only one that is complete has.
LEAST = {
    "subscription_id": SUBSCRIPTION.rpartition("/")[2],
    "ci_issuer": "https://issuer.example.com",
    "private_endpoint_subnet_id": f"{GROUPS}/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
    "encryption_key_id": "https://vault.example.com/keys/k/1",
    "encryption_key_vault_id": f"{GROUPS}/k/providers/Microsoft.KeyVault/vaults/v",
}
MORE = {
    "alert_emails": ["ada@example.com", "grace@example.com"],
    "allowed_ip_ranges": ["203.0.113.0/24", "198.51.100.7"],
    "ci_subjects": {"first": "repo:owner/name:environment:first", "second": "repo:owner/name:environment:second"},
    "event_function_id": f"{GROUPS}/f/providers/Microsoft.Web/sites/f/functions/relay",
    "group_ids": {
        name: f"{number}0000000-0000-0000-0000-000000000000"
        for number, name in enumerate(("data_scientists", "ml_engineers", "model_validators", "endpoint_callers"))
    },
    "model_registry_id": f"{GROUPS}/r/providers/Microsoft.MachineLearningServices/registries/m",
    "next_deploy_principal_id": "50000000-0000-0000-0000-000000000000",
    "private_dns_zone_ids": {
        name: [f"{GROUPS}/z/providers/Microsoft.Network/privateDnsZones/{name}.{end}" for end in ends]
        for name, ends in {"amlworkspace": ("one", "two"), "blob": ("one",)}.items()
    },
}
ENDPOINT = "Microsoft.MachineLearningServices/workspaces/mlw-credit-scoring-{0}-weu/onlineEndpoints/scoring"
CHANGES = yaml.safe_load(Path(__file__).with_name("infrastructure_changes.yml").read_text(encoding="utf-8"))
Files = dict[str, bytes]


def rendered(iac: str, classification: str, pattern: str = PATTERNS[0]) -> Files:
    answers = {"project_name": "credit-scoring", "pattern": pattern, "iac": iac, "data_classification": classification}
    tree = Renderer(ROOT, "catalog", "1.0.0").render(answers).tree
    return {path: file.content for path, file in tree.items() if path.startswith("infra/")}


def settings(files: Files, environment: str, *, is_complete: bool) -> dict[str, Any]:
    """The rendered values of an environment, with those that a team fills in."""
    own = yaml.safe_load(files[f"infra/environments/{environment}.yml"])["settings"]
    endpoint = f"{GROUPS}/rg-credit-scoring-{environment}-weu/providers/{ENDPOINT.format(environment)}"
    more = {**MORE, "online_endpoint_ids": {"scoring": endpoint}}
    filled = LEAST | (more if is_complete else {})
    return {**own, **{name: value for name, value in filled.items() if name in own}}


def with_settings(files: Files, environment: str, values: Mapping[str, Any]) -> Files:
    return {**files, f"infra/environments/{environment}.yml": yaml.safe_dump({"settings": values}).encode()}


def of_bicep(files: Files, environment: str, values: Mapping[str, Any]) -> dict[str, Any]:
    resources = read_bicep(with_settings(files, environment, values), environment, START)
    return normal_form([(resource.id, resource.body) for resource in resources], "bicep")


def of_terraform(space: Terraform, environment: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return normal_form(read_terraform(space.apply(environment, START, values)), "terraform")


def materialised(files: Files, folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("classification", CLASSIFICATIONS)
def test_both_languages_ask_for_the_same(classification: str, tmp_path: Path) -> None:
    bicep, files = rendered("bicep", classification), rendered("terraform", classification)
    with terraform(materialised(files, tmp_path)) as space:
        for environment in ENVIRONMENTS:
            for is_complete in (True, False):
                values = settings(bicep, environment, is_complete=is_complete)
                assert values == settings(files, environment, is_complete=is_complete)
                one, other = of_terraform(space, environment, values), of_bicep(bicep, environment, values)
                assert differences(one, other) == [], f"{environment}, {'complete' if is_complete else 'bare'}"
                assert len(one) > 40


@pytest.mark.parametrize("iac", ["bicep", "terraform"])
def test_every_pattern_has_the_same_infrastructure(iac: str) -> None:
    for classification in CLASSIFICATIONS:
        wanted = rendered(iac, classification)
        assert all(rendered(iac, classification, pattern) == wanted for pattern in PATTERNS[1:])


@pytest.fixture(scope="module")
def bicep() -> Files:
    return rendered("bicep", "restricted")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with terraform(materialised(rendered("terraform", "restricted"), tmp_path_factory.mktemp("terraform"))) as held:
        yield held


def found_in(one: dict[str, Any], other: dict[str, Any], named: str) -> bool:
    return any(named in line for line in differences(one, other))


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES["terraform"], ids=lambda change: f"{change['file']}, {change['named']}")
def test_a_change_of_terraform_alone_is_found(change: dict[str, Any], space: Terraform, bicep: Files) -> None:
    values = settings(bicep, "dev", is_complete=change.get("is_complete", True))
    with space.changed(change["file"], change["old"], change["new"]):
        assert found_in(of_terraform(space, "dev", values), of_bicep(bicep, "dev", values), change["named"])


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES["unmapped"], ids=lambda change: change["named"])
def test_what_the_map_lacks_is_refused(change: dict[str, Any], space: Terraform, bicep: Files) -> None:
    values = settings(bicep, "dev", is_complete=True)
    with (
        space.changed(change["file"], change["old"], change["new"]),
        pytest.raises(RefusedError, match=rf"{change['named']} is not in infrastructure_map\.yml"),
    ):
        of_terraform(space, "dev", values)


def test_a_type_that_the_map_lacks_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"azurerm_virtual_network is not in infrastructure_map\.yml"):
        read_terraform([{"type": "azurerm_virtual_network", "values": {"id": "a"}}])


@pytest.mark.parametrize("change", CHANGES["bicep"], ids=lambda change: f"{change['file']}, {change['named']}")
def test_a_change_of_bicep_alone_is_found(change: dict[str, Any], bicep: Files) -> None:
    path, values = f"infra/bicep/{change['file']}", settings(bicep, "dev", is_complete=change.get("is_complete", True))
    text = bicep[path].decode()
    assert text.count(change["old"]) == 1
    changed = bicep | {path: text.replace(change["old"], change["new"]).encode()}
    assert found_in(of_bicep(bicep, "dev", values), of_bicep(changed, "dev", values), change["named"])


def literals(source: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each text, number and truth value in the body of a resource that is made, with another one in its place."""
    for node in parse(source).children:
        body = body_of(node) if node.type == "resource_declaration" and first(node, "existing") is None else None
        for key, value in properties(body) if body else []:
            if key_of(key) in {"name", "parent", "scope", "dependsOn"}:
                continue
            for leaf in walk(value):
                if leaf.parent.type in {"arguments", "subscript_expression"}:
                    continue
                if leaf.type == "object_property":
                    continue
                if leaf.type == "string_content" and leaf.parent.parent.type not in {
                    "arguments",
                    "subscript_expression",
                }:
                    yield leaf.start_byte, leaf.end_byte, b"other"
                elif leaf.type == "boolean":
                    yield leaf.start_byte, leaf.end_byte, b"false" if leaf.text == b"true" else b"true"
                elif leaf.type == "number":
                    yield leaf.start_byte, leaf.end_byte, leaf.text + b"1"


def is_found(read: Callable[[], dict[str, Any]], wanted: dict[str, Any]) -> bool:
    try:
        return read() != wanted
    except (RefusedError, KeyError, ValueError):
        return True


@pytest.mark.slow
def test_no_setting_of_bicep_is_overlooked(bicep: Files) -> None:
    values = {name: settings(bicep, name, is_complete=True) for name in ("dev", "prod")}
    wanted, count = {name: of_bicep(bicep, name, values[name]) for name in values}, 0
    for path, source in bicep.items():
        for start, end, other in literals(source) if path.endswith(".bicep") else []:
            files = bicep | {path: source[:start] + other + source[end:]}
            count += 1
            found = (is_found(partial(of_bicep, files, name, values[name]), wanted[name]) for name in values)
            assert any(found), (path, source[start - 60 : end])
    assert count > 150


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each value that is set in a state, with the path to it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        yield place, value
    for key, item in pairs or ():
        yield from leaves(item, (*place, key))


def is_decided(kind: str, place: tuple[Any, ...]) -> bool:
    """Whether Azure decides a value of a state, or the resource's id holds it."""
    entry = MAP["resources"][kind]["id"].replace("{group}", "{resource_group_name}")
    own = {"principal_id", "client_id"} if kind != "azurerm_role_assignment" else set[str]()
    return place[-1] in own | {"id", "role_definition_resource_id"} or "{" + str(place[0]) + "}" in entry


def with_other(item: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(item)
    held = changed["values"]
    for key in place[:-1]:
        held = held[key]
    held[place[-1]] = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else f"{value}x"
    return changed


@pytest.mark.slow
def test_no_setting_of_terraform_is_overlooked(space: Terraform, bicep: Files) -> None:
    def read(item: dict[str, Any]) -> dict[str, Any]:
        return normal_form(read_terraform([item]), "terraform")

    count = 0
    for item in space.apply("dev", START, settings(bicep, "dev", is_complete=True)):
        wanted = read(item)
        for place, value in leaves(item["values"]):
            if value is not None and not is_decided(item["type"], place):
                count += 1
                assert is_found(partial(read, with_other(item, place, value)), wanted), (item["type"], place)
    assert count > 300


# A value that both languages refuse, and what each says of it.
REFUSED: list[tuple[str, object, str, str]] = [
    ("private_endpoint_subnet_id", None, "give private_endpoint_subnet_id", "@minLength"),
    ("encryption_key_id", None, "give encryption_key_id", "@minLength"),
    ("encryption_key_vault_id", None, "encryption_key_vault_id", "@minLength"),
    ("alert_emails", [], "Somebody must be told", "@minLength"),
    ("compute_max_nodes", 101, "1 to 100 nodes", "@maxValue"),
    ("compute_max_nodes", 0, "1 to 100 nodes", "@minValue"),
    ("monthly_budget", 0, "more than nothing", "@minValue"),
    ("ci_subjects", {"any": "repo:owner/*:environment:first"}, "each in full", "@allowed"),
    ("ci_subjects", {f"s{number}": f"repo:{number}" for number in range(21)}, "at most 20", "@maxLength"),
    ("group_ids", {"others": "10000000-0000-0000-0000-000000000000"}, "The groups are", "@allowed"),
]


@pytest.mark.slow
@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: f"{refused[0]}, {refused[3]}")
def test_both_refuse_the_same(refused: tuple[str, object, str, str], space: Terraform, bicep: Files) -> None:
    name, value, of_one, of_other = refused
    values = {**settings(bicep, "dev", is_complete=True), name: value}
    with pytest.raises(RefusedError, match=of_one):
        of_terraform(space, "dev", values)
    with pytest.raises(RefusedError, match=of_other):
        of_bicep(bicep, "dev", values)


def test_bicep_refuses_an_environment_that_the_project_has_not(bicep: Files) -> None:
    with pytest.raises(RefusedError, match="@allowed"):
        of_bicep(bicep, "staging", settings(bicep, "dev", is_complete=True))
