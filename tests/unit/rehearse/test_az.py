"""The stand-in for the Azure CLI accepts what az accepts, and refuses what az and the service refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlops_new.rehearse import az
from mlops_new.rehearse.az_state import Asset, State, now
from mlops_new.rehearse.az_table import AzError, read_call

DEV = ["--resource-group", "rg-dev", "--workspace-name", "mlw-dev"]
PROD = ["--resource-group", "rg-prod", "--workspace-name", "mlw-prod"]
REGISTRY = ["--registry-name", "mlr-credit"]


class Desk:
    """A working copy, who is signed in there, and what az answers."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "copy"
        (self.root / ".git").mkdir(parents=True)
        (self.root / "azureml").mkdir()
        places = {
            name: {"resource_group": f"rg-{name}", "workspace": f"mlw-{name}"} for name in ("dev", "test", "prod")
        }
        values = {"registry": "mlr-credit", "model": "credit", "workspaces": places}
        (self.root / "azureml" / "workspaces.yml").write_text(yaml.safe_dump(values, sort_keys=False))
        self.state = State(folder / "state")

    def az(self, *words: str) -> tuple[int, str, str]:
        return az.run(words, self.state, self.root)

    def sign_in(self, identity: str) -> int:
        who = ("--username", f"client-{identity}", "--tenant", "t", "--federated-token", f"rehearsal:{identity}")
        return self.az("login", "--service-principal", *who)[0]

    def model(self, folder: Path, *place: str, version: str = "", **tags: str) -> tuple[int, str, str]:
        content = folder / "model"
        content.mkdir(exist_ok=True)
        (content / "MLmodel").write_text("flavors: {}\n")
        values = {"name": "credit", "type": "mlflow_model", "path": str(content), "tags": tags}
        file = folder / "model.yml"
        file.write_text(json.dumps(values | ({"version": version} if version else {})))
        return self.az("ml", "model", "create", "--file", str(file), *place)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("AZURE_CORE_OUTPUT", raising=False)
    monkeypatch.setattr("mlops_new.rehearse.az_assets.check_with_sdk", lambda *_: None)
    found = Desk(tmp_path)
    assert found.sign_in("dev") == 0
    return found


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ml jobs create", "'ml jobs create' is misspelled or not recognized"),
        ("ml job", "'ml job' is misspelled"),
        ("", "is misspelled"),
        ("ml job create --file a.yml", "required: --resource-group, --workspace-name"),
        ("ml job create -g g -w w", "required: --file"),
        ("ml job create --file a.yml -g g -w w --nam x", "unrecognized arguments: --nam"),
        ("ml job show --name a -g g -w w --version 1", "unrecognized arguments: --version"),
        ("ml model share --name a --version 1 -g g -w w -r r", "required: --share-with-name, --share-with-version"),
        ("ml model list --registry-name r --name", "argument --name: expected one argument"),
        ("ml job create --file a.yml --set -g g -w w", "argument --set: expected at least one argument|unrecognized"),
        ("stack sub create --name a --location l", "required: --action-on-unmanage, --deny-settings-mode"),
    ],
)
def test_what_az_does_not_understand_is_refused(line: str, said: str) -> None:
    with pytest.raises(AzError, match="|".join(part.replace("(", r"\(") for part in said.split("|"))) as caught:
        read_call(line.split())
    assert caught.value.code == 2


def test_short_options_and_values_after_an_equals_sign_are_read() -> None:
    call = read_call(["ml", "model", "list", "-n", "credit", "-g=rg", "-w", "mlw", "-o", "json"])
    assert call.options == {
        "--name": "credit", "--resource-group": "rg", "--workspace-name": "mlw", "--output": "json"
    }  # fmt: skip


def test_an_identity_signs_in_only_by_its_own_token(desk: Desk) -> None:
    who = ("login", "--service-principal", "--username", "client-prod", "--tenant", "t")
    assert desk.az(*who, "--federated-token", "rehearsal:dev")[0] == 1
    assert desk.az(*who, "--federated-token", "secret")[0] == 1
    assert desk.sign_in("staging") == 1
    assert desk.az("account", "show")[0] == 0
    assert desk.az("logout")[0] == 0
    assert "az login" in desk.az("ml", "model", "list", "--name", "credit", *DEV)[2]


@pytest.mark.parametrize(
    ("identity", "place", "may"),
    [
        ("dev", DEV, "read, write"),
        ("dev", PROD, ""),
        ("dev", REGISTRY, "read, write"),
        ("prod", DEV, ""),
        ("prod", ["--resource-group", "rg-test", "--workspace-name", "mlw-test"], "read"),
        ("prod-rollback", PROD, "read, write"),
        ("prod-watch", PROD, "read"),
        ("prod-watch", REGISTRY, "read"),
        ("prod-infra", PROD, ""),
        ("prod-plan", PROD, "read"),
    ],
)
def test_an_identity_may_do_what_it_is_for_and_no_more(
    desk: Desk, tmp_path: Path, identity: str, place: list[str], may: str
) -> None:
    assert desk.sign_in(identity) == 0
    for allowed, (code, _, said) in (
        ("read" in may, desk.az("ml", "model", "list", "--name", "credit", *place)),
        ("write" in may, desk.model(tmp_path, *place)),
    ):
        assert (code == 0) == allowed, said
        assert allowed or "AuthorizationFailed" in said


@pytest.mark.parametrize(
    ("identity", "may"), [("dev-plan", "look"), ("dev-infra", "look, own"), ("dev", "look"), ("prod-infra", "")]
)
def test_a_resource_group_is_changed_by_its_owner_alone(desk: Desk, identity: str, may: str) -> None:
    desk.sign_in(identity)
    desk.state.set_resources("dev", ["a"])
    looked = desk.az("group", "exists", "--name", "rg-dev", "-o", "tsv")
    assert (looked[:2] == (0, "true")) == ("look" in may)
    assert (desk.az("group", "delete", "--name", "rg-dev", "--yes")[0] == 0) == ("own" in may)
    assert desk.state.resources("dev") == ([] if "own" in may else ["a"])


def test_a_place_that_is_not_there_is_not_found(desk: Desk) -> None:
    for place in (["-g", "rg-dev", "-w", "mlw-x"], ["-g", "rg-x", "-w", "mlw-dev"], ["-r", "mlr-x"]):
        code, _, said = desk.az("ml", "model", "list", "--name", "credit", *place)
        assert (code, "NotFound" in said or "could not be found" in said) == (3, True)


def test_a_version_is_counted_and_never_changes(desk: Desk, tmp_path: Path) -> None:
    assert json.loads(desk.model(tmp_path, *DEV)[1])["version"] == "1"
    assert json.loads(desk.model(tmp_path, *DEV)[1])["version"] == "2"
    code, _, said = desk.model(tmp_path, *DEV, version="2")
    assert code == 1
    assert "already exists" in said
    code, _, said = desk.az("ml", "model", "update", "-n", "credit", "-v", "1", "--set", "path=elsewhere", *DEV)
    assert "cannot be changed" in said


def test_tags_are_set_and_the_others_stay(desk: Desk, tmp_path: Path) -> None:
    desk.model(tmp_path, *DEV, role="challenger", note="a")
    code, _, _ = desk.az(
        "ml", "model", "update", "-n", "credit", "-v", "1", "--set", "tags.role=champion", 'tags.n="7"', *DEV
    )
    assert code == 0
    query = "[].{version: version, tags: tags}"
    (found,) = json.loads(desk.az("ml", "model", "list", "-n", "credit", *DEV, "--query", query)[1])
    assert found == {"version": "1", "tags": {"role": "champion", "note": "a", "n": "7"}}
    assert [event["role"] for event in desk.state.events("role")] == ["champion"]


def test_a_model_is_shared_once_with_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    desk.model(tmp_path, *DEV)
    share = (
        "ml",
        "model",
        "share",
        "-n",
        "credit",
        "-v",
        "1",
        "--share-with-name",
        "credit",
        "--share-with-version",
        "1",
    )
    assert desk.az(*share, *DEV, *REGISTRY)[0] == 0
    assert desk.az(*share, *DEV, *REGISTRY)[0] == 1
    target = tmp_path / "down"
    assert (
        desk.az("ml", "model", "download", "-n", "credit", "-v", "1", "--download-path", str(target), *REGISTRY)[0] == 0
    )
    assert [path.name for path in target.rglob("MLmodel")] == ["MLmodel"]


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    for words in (("ml", "model", "show", "-n", "credit", "-v", "9"), ("ml", "job", "show", "-n", "j")):
        code, _, said = desk.az(*words, *DEV)
        assert code
        assert "(NotFound)" in said


def test_a_job_that_names_what_the_workspace_lacks_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_new.rehearse.az_jobs.check_with_sdk", lambda *_: None)
    file = desk.root / "azureml" / "training.yml"
    file.write_text("jobs: {}\ninputs: {raw: {path: 'azureml:raw:1'}}\n")
    code, _, said = desk.az("ml", "job", "create", "--file", str(file), *DEV)
    assert (code, said) == (1, "ERROR: (NotFound) data raw:1 not found in mlw-dev.")
    assert desk.state.jobs() == []
    desk.state.add_asset(Asset("mlw-dev", "data", "raw", "1", {}, {}, "", now()))
    desk.state.plan_failure("job", "mlw-dev", "refuse", "")
    code, output, _ = desk.az("ml", "job", "create", "--file", str(file), *DEV, "--query", "status", "-o", "tsv")
    assert (code, output) == (0, "Failed")


def test_a_file_that_the_sdk_refuses_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.sign_in("dev")
    file = desk.root / "environment.yml"
    file.write_text("name: a\nversion: '1'\nimag: x\n")
    code, _, said = desk.az("ml", "environment", "create", "--file", str(file), *DEV)
    assert code == 1
    assert "imag" in said
    file.write_text("name: a\nversion: '1'\nimage: x\n")
    assert desk.az("ml", "environment", "create", "--file", str(file), *DEV)[0] == 0


@pytest.mark.parametrize(("effect", "versions"), [("refuse", 0), ("lost", 1)])
def test_a_failure_that_was_planned_comes_once_before_or_after_the_work(
    desk: Desk, tmp_path: Path, effect: str, versions: int
) -> None:
    desk.state.plan_failure("ml model create", "mlw-dev", effect, "(QuotaExceeded) Used up.")
    assert "(QuotaExceeded)" in desk.model(tmp_path, *DEV)[2]
    assert len(desk.state.assets("mlw-dev", "model")) == versions
    assert desk.model(tmp_path, *DEV)[0] == 0


def test_the_output_is_as_asked_and_none_where_the_environment_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads(desk.az("account", "show")[1]) == {"user": {"name": "dev"}}
    assert desk.az("account", "show", "--query", "user.name", "--output", "tsv")[1] == "dev"
    monkeypatch.setenv("AZURE_CORE_OUTPUT", "none")
    assert desk.az("account", "show")[1] == ""
    assert desk.az("account", "show", "--query", "user.name", "--output", "tsv")[1] == "dev"


def test_the_program_answers_with_a_code_and_on_the_right_stream(desk: Desk) -> None:
    environment = {**os.environ, az.FOLDER: str(desk.state.folder)}
    command = [sys.executable, "-m", "mlops_new.rehearse.az"]
    done = subprocess.run(
        [*command, "account", "shwo"], cwd=desk.root, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ERROR: 'account shwo' is misspelled or not recognized by the system.\n"
