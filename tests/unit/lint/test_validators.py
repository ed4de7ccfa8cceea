"""Each validator lets sound files pass, and finds what is planted, on its line."""

import re
from pathlib import Path

import pytest
from mlops_new.errors import MissingExtraError
from mlops_new.lint import validators
from mlops_new.lint.diagnostics import Diagnostic
from mlops_new.lint.processes import Programs
from mlops_new.lint.validators import VALIDATORS, run_validator

BY_NAME = {validator.name: validator for validator in VALIDATORS}
PIN = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
WORKFLOW = f"""\
name: main
on:
  push:
    branches: [main]
permissions: {{}}
concurrency:
  group: main
  cancel-in-progress: false
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: {PIN}
        with:
          persist-credentials: false
      - run: ./test.sh
"""
ENTITY = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: credit-scoring
spec:
  type: service
  lifecycle: production
  owner: group:risk
"""
ENVIRONMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: scoring
version: "1"
image: mcr.microsoft.com/base:1
"""
TERRAFORM = """\
terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.81.0, < 6.0.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "location" {
  type = string
}

resource "azurerm_resource_group" "this" {
  name     = "rg-scoring"
  location = var.location
}

resource "azurerm_key_vault" "this" {
  name                       = "kv-scoring"
  location                   = azurerm_resource_group.this.location
  resource_group_name        = azurerm_resource_group.this.name
  tenant_id                  = "00000000-0000-0000-0000-000000000000"
  sku_name                   = "standard"
  rbac_authorization_enabled = true

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
  }
}
"""
TERRAFORM_TEST = """\
mock_provider "azurerm" {}

run "closed" {
  command = plan

  variables {
    location = "westeurope"
  }

  assert {
    condition     = azurerm_key_vault.this.network_acls[0].default_action == "Deny"
    error_message = "The vault must be closed."
  }
}
"""
HASH = "0" * 64
REQUIREMENTS = f"""\
# Pinned.
numpy==2.2.0 \\
    --hash=sha256:{HASH}
pandas==2.3.0 ; python_version < "3.13" \\
    --hash=sha256:{HASH}
"""
SOUND = {
    "terraform": {"infra/main.tf": TERRAFORM, "infra/tests/a.tftest.hcl": TERRAFORM_TEST},
    "jactionlint": {".github/workflows/main.yml": WORKFLOW},
    "zizmor": {".github/workflows/main.yml": WORKFLOW},
    "azure-pipelines": {"azure-pipelines.yml": "trigger: none\npr: none\nsteps:\n  - bash: echo hello\n"},
    "bicep": {"infra/main.bicep": "param a string\n\noutput b string = toLower(a)\n"},
    "azureml": {"azureml/environments/environment.yml": ENVIRONMENT},
    "yamllint": {"config/a.yml": "a: 1\nb: [1, 2]\n"},
    "pyproject": {"pyproject.toml": '[project]\nname = "a"\nversion = "1"\n'},
    "pre-commit": {".pre-commit-config.yaml": "repos: []\n"},
    "ruff": {"src/a.py": "A = 1\n"},
    "shellcheck": {"run.sh": '#!/bin/sh\necho "$HOME"\n', "bin/start": "#!/usr/bin/env bash\necho hello\n"},
    "shfmt": {"run.sh": '#!/bin/sh\nif true; then\n\techo "$HOME"\nfi\n'},
    "hadolint": {"Dockerfile": "FROM python:3.11-slim\nUSER 1000\n"},
    "codeowners": {".github/CODEOWNERS": "* @contoso/risk\n/src/ @ada ada@example.com\n*.py @ada\n", "src/a.py": ""},
    "backstage": {"catalog-info.yaml": ENTITY},
    "devcontainer": {".devcontainer/devcontainer.json": '{\n  // a remark\n  "image": "python:3.11"\n}\n'},
    "requirements": {"requirements.txt": REQUIREMENTS},
    "markdown": {
        "README.md": "# A\n\nSee [b](docs/b.md#a-part), [part](#a).\n\n```text\n[no](link.md)\n```\n\n`[no](x.md)`\n",
        "docs/b.md": "# B\n\n## A part\n\n[up](../README.md) [out](https://example.com/x)\n",
    },
    "secrets": {
        "config/a.yml": "client_id: 00000000-0000-0000-0000-000000000000\npassword: ${PASSWORD}\n",
        ".copier-answers.yml": "_commit: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567\n",
        "requirements.txt": REQUIREMENTS,
    },
}
# The validator, the file, what is planted in its sound text, the line of the fault, and what is said of it.
PLANTED = [
    ("jactionlint", ".github/workflows/main.yml", ("runs-on", "runs-off"), 10, "runs-on"),
    ("jactionlint", ".github/workflows/main.yml", ("- run: ./test.sh", "- run: echo ${{ github.evnt }}"), 19, "evnt"),
    ("jactionlint", ".github/workflows/main.yml", ("./test.sh", "for x in $(ls); do echo $x; done"), 19, "SC2"),
    ("jactionlint", ".github/workflows/main.yml", ("persist-credentials: false", "persist: false"), 16, "persist"),
    ("zizmor", ".github/workflows/main.yml", ("./test.sh", "echo ${{ github.event.issue.title }}"), 19, "expan|inject"),
    ("azure-pipelines", "azure-pipelines.yml", ("bash:", "bsh:"), 4, "not valid|bsh"),
    ("bicep", "infra/main.bicep", ("toLower", "toLwer"), 3, "toLower"),
    ("terraform", "infra/main.tf", ("sku_name  ", "sku_nam   "), 28, "sku_nam"),
    ("terraform", "infra/main.tf", ('"standard"', "null"), 28, "is required, and null"),
    ("terraform", "infra/main.tf", ("var.location", "var.loc"), 20, "undeclared input variable"),
    ("terraform", "infra/main.tf", ("azurerm_key_vault", "azurerm_vault"), 23, "azurerm_vault"),
    ("terraform", "infra/main.tf", ("group.this.location", "group.that.location"), 25, "undeclared resource"),
    ("terraform", "infra/main.tf", ("group.this.location", "group.this.place"), 25, "place"),
    ("terraform", "infra/main.tf", ("network_acls {", "network_rules {"), 31, "network_rules"),
    ("terraform", "infra/main.tf", ('    bypass         = "AzureServices"\n', ""), 31, "bypass"),
    ("terraform", "infra/main.tf", ("enabled = true", "enabled = []"), 29, "bool"),
    ("terraform", "infra/main.tf", ("= var.location\n}", "= var.location\n"), 18, "brace|closing|Unclosed"),
    ("terraform", "infra/main.tf", ("  name     =", "  name ="), 0, "terraform fmt"),
    ("terraform", "infra/main.tf", ('name     = "rg-scoring"', 'id       = "rg-scoring"'), 18, "name|id"),
    ("terraform", "infra/main.tf", ("rbac_authorization_enabled = true", 'vault_uri = "a"'), 29, "vault_uri"),
    ("terraform", "infra/tests/a.tftest.hcl", ('"Deny"', '"Allow"'), 11, "In closed: .*The vault must be closed"),
    ("azureml", "azureml/environments/environment.yml", ("image:", "imag:"), 1, "imag"),
    ("yamllint", "config/a.yml", ("b: [1, 2]", "a: 2"), 2, "duplication"),
    ("yamllint", "config/a.yml", ("a: 1", "a: [1"), 2, "syntax|expected"),
    ("pyproject", "pyproject.toml", ('version = "1"', "version = 1"), 0, "version"),
    ("pre-commit", ".pre-commit-config.yaml", ("repos: []", "repositories: []"), 0, "repos"),
    ("ruff", "src/a.py", ("A = 1", "import os"), 1, "F401"),
    ("ruff", "src/a.py", ("A = 1", "A = ("), 2, ""),
    ("shellcheck", "run.sh", ('"$HOME"', "$1"), 2, "SC2086"),
    ("shellcheck", "bin/start", ("echo hello", "cd $1"), 2, "SC2"),
    ("shfmt", "run.sh", ("\techo", "      echo"), 0, "formatter"),
    ("hadolint", "Dockerfile", ("python:3.11-slim", "python:latest"), 1, "DL3007"),
    ("hadolint", "Dockerfile", ("USER 1000", "RUN cd /tmp && apt-get install curl"), 2, "DL3"),
    ("codeowners", ".github/CODEOWNERS", ("/src/", "/srcs/"), 2, "matches no file"),
    ("codeowners", ".github/CODEOWNERS", ("@contoso/risk", "contoso"), 1, "is no owner"),
    ("codeowners", ".github/CODEOWNERS", ("*.py @ada", "*.py"), 3, "has no owner"),
    ("backstage", "catalog-info.yaml", ("lifecycle: production", "lifecycel: production"), 5, "lacks lifecycle"),
    ("backstage", "catalog-info.yaml", ("credit-scoring", "credit scoring"), 4, "not usable"),
    ("backstage", "catalog-info.yaml", ("Component", "Componnent"), 2, "kind"),
    ("backstage", "catalog-info.yaml", ("v1alpha1", "v1"), 1, "apiVersion"),
    ("devcontainer", ".devcontainer/devcontainer.json", ('"image"', '"imge"'), 3, "imge"),
    ("devcontainer", ".devcontainer/devcontainer.json", ('"python:3.11"', '"python:3.11",'), 4, "cannot be parsed"),
    ("requirements", "requirements.txt", ("numpy==2.2.0", "numpy=2.2.0"), 2, "correct it"),
    ("requirements", "requirements.txt", ("numpy==2.2.0", "numpy>=2.2.0"), 2, "no exact version"),
    ("requirements", "requirements.txt", ('pandas==2.3.0 ; python_version < "3.13"', "numpy==2.2.0"), 4, "twice"),
    ("markdown", "README.md", ("docs/b.md#a-part", "docs/c.md"), 3, "docs/c.md, which does not exist"),
    ("markdown", "README.md", ("#a-part", "#a-parts"), 3, "#a-parts"),
    ("markdown", "README.md", ("[part](#a)", "[part](#b)"), 3, "#b"),
    ("markdown", "README.md", ("```text\n[no](link.md)\n```", "```text\n[no](link.md)"), 5, "never closed"),
    ("markdown", "docs/b.md", ("## A part", "# A part"), 3, "second title"),
    ("secrets", "config/a.yml", ("${PASSWORD}", "hunter2-hunter2"), 2, "Secret Keyword"),
    ("secrets", "config/a.yml", ("client_id", "aws: AKIAIOSFODNN7EXAMPLX\nclient_id"), 1, "AWS"),
    ("secrets", "config/a.yml", ("client_id", "url: https://ada:s3cr3tword@example.com\nclient_id"), 1, "Basic Auth"),
]  # fmt: skip


def lint(folder: Path, name: str, files: dict[str, str]) -> list[Diagnostic]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    validator = BY_NAME[name]
    chosen = validator.choose(folder, sorted(files))
    assert chosen, f"{name} chooses none of {sorted(files)}"
    with Programs() as programs:
        return run_validator(validator, folder, chosen, programs)


def test_each_validator_has_a_sound_file_and_a_planted_fault() -> None:
    assert set(SOUND) == set(BY_NAME)
    assert {name for name, *_ in PLANTED} == set(BY_NAME)


@pytest.mark.parametrize("name", sorted(SOUND))
def test_sound_files_pass(name: str, tmp_path: Path) -> None:
    assert lint(tmp_path, name, SOUND[name]) == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[0]}, {planted[4]}")
def test_a_planted_fault_is_found(planted: tuple[str, str, tuple[str, str], int, str], tmp_path: Path) -> None:
    name, path, change, line, message = planted
    files = dict(SOUND[name])
    assert change[0] in files[path]
    files[path] = files[path].replace(*change)
    found = lint(tmp_path, name, files)
    assert any(any(re.search(part, item.message) for part in message.split("|")) for item in found), found
    assert {item.path for item in found} == {path}
    assert line in {item.line for item in found}, found


def test_a_program_that_is_not_there_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validators, "environment", lambda: {"PATH": str(tmp_path)})
    with pytest.raises(MissingExtraError, match=r"mlops-new lint, for yamllint.*\[check\]"):
        lint(tmp_path, "yamllint", SOUND["yamllint"])


def test_a_folder_with_rules_of_its_own_for_yaml_is_held_to_those(tmp_path: Path) -> None:
    long = {"config/a.yml": f"a: {'x ' * 60}x\n"}
    assert lint(tmp_path, "yamllint", long) == []
    (tmp_path / ".yamllint").write_text("{extends: default, rules: {document-start: disable}}\n")
    assert [item.line for item in lint(tmp_path, "yamllint", long)] == [1]
