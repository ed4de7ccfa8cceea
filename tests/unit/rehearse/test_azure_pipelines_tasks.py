"""What each kind of step does on this machine."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from azure_run import FILE, project_of, run, said
from conftest import git
from mlops_new.errors import ToolError
from mlops_new.rehearse.azure_pipelines import Identity, PipelineError, PipelineRun, run_pipeline


def job(*steps: str, more: str = "") -> str:
    return f"stages:\n  - stage: s\n    jobs:\n      - job: j\n{more}        steps:\n" + "".join(
        f"          - {step}\n" for step in ("checkout: none", *steps)
    )


def deployment(*steps: str, name: str = "d", needs: str = "[]") -> str:
    lines = "".join(f"                - {step}\n" for step in steps)
    return (
        f"  - stage: {name}\n    dependsOn: {needs}\n    jobs:\n      - deployment: {name}\n        environment: e\n"
        f"        strategy:\n          runOnce:\n            deploy:\n              steps:\n{lines}"
    )


def program(folder: Path, name: str, text: str) -> Mapping[str, str]:
    """An environment on whose PATH a program of some name stands first."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_a_script_stops_at_no_fault_unless_it_says_so(tmp_path: Path) -> None:
    # The agent runs `bash FILE`: only the last command's code counts.
    steps = ('{bash: "false; echo on"}', '{script: "false; echo on"}', '{bash: "set -e; false; echo on"}')
    result = run(tmp_path, job(*steps))["s.j"]
    assert [(step.code, step.output) for step in result.steps] == [(0, "on\n"), (0, "on\n"), (1, "")]


def test_a_script_runs_in_its_folder_with_its_own_variables(tmp_path: Path) -> None:
    steps = (
        "{bash: mkdir deep; pwd}",
        "{bash: 'pwd; echo $X $(echo shell) $(Build.Reason)', workingDirectory: deep, env: {X: x-$(Build.Reason)}}",
        "{script: 'pwd; echo [$X] $TF_BUILD', workingDirectory: $(Agent.TempDirectory)}",
    )
    place = tmp_path / "run" / "jobs" / "1-s-j"
    assert said(run(tmp_path, job(*steps))["s.j"]) == [
        *(f"{place}/s", f"{place}/s/deep"),
        *("x-Manual shell Manual", f"{place}/_temp", "[] True"),
    ]


def test_a_folder_that_is_not_there_fails_the_step(tmp_path: Path) -> None:
    (step,) = run(tmp_path, job("{bash: pwd, workingDirectory: nowhere}"))["s.j"].steps
    assert (step.result, step.output.endswith("nowhere.\n")) == ("Failed", True)


def test_a_job_works_on_a_copy_of_its_own_at_the_commit(tmp_path: Path) -> None:
    pipeline = (
        "stages: [{stage: s, jobs: [{job: a, steps: [{bash: 'cat .azuredevops/*; rm -r .azuredevops'}]}, "
        "{job: b, steps: [{checkout: self, fetchDepth: 0, persistCredentials: false}, "
        '{bash: \'git status --short; git log --format=%s; git branch --remotes --format="%(refname)"; '
        "echo $BUILD_SOURCEVERSION'}]}]}]"
    )
    project = project_of(tmp_path, {"main.yml": pipeline})
    git(project, "commit", "--allow-empty", "--quiet", "--message", "second")
    wanted = git(project, "rev-parse", "HEAD")
    git(project, "commit", "--allow-empty", "--quiet", "--message", "third")
    given = PipelineRun(folder=tmp_path / "run", environ=os.environ, commit="HEAD~1")
    a, b = run_pipeline(project, FILE, given)
    assert [one.result for one in (a, b)] == ["Succeeded", "Succeeded"]
    assert said(b) == ["second", "first", "refs/remotes/origin/main", wanted]
    assert git(project, "status", "--short") == ""


def test_a_shallow_checkout_has_no_history(tmp_path: Path) -> None:
    pipeline = (
        "stages: [{stage: s, jobs: [{job: a, steps: [{checkout: self, fetchDepth: 1}, {bash: git log --format=%s}]}]}]"
    )
    project = project_of(tmp_path, {"main.yml": pipeline})
    git(project, "commit", "--allow-empty", "--quiet", "--message", "second")
    (result,) = run_pipeline(project, FILE, PipelineRun(folder=tmp_path / "run", environ=os.environ))
    assert said(result) == ["second"]


def test_a_commit_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        run(tmp_path, job("bash: pwd"), commit="nowhere")


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run" / "jobs").mkdir(parents=True)
    with pytest.raises(PipelineError, match="holds an earlier run"):
        run(tmp_path, job("bash: pwd"))


PUBLISH = (
    "bash: mkdir $(Build.ArtifactStagingDirectory)/x && echo hello > $(Build.ArtifactStagingDirectory)/x/f",
    (
        "{task: PublishPipelineArtifact@1, inputs: {targetPath: $(Build.ArtifactStagingDirectory)/x, "
        "artifact: x-$(System.StageName)-$(System.JobAttempt)}}"
    ),
)


def test_artifacts_reach_later_jobs(tmp_path: Path) -> None:
    pipeline = job(*PUBLISH) + "".join(
        (
            deployment("bash: cat $(Pipeline.Workspace)/x-s-1/f", name="all", needs="[s]"),
            deployment("download: none", "bash: ls $(Pipeline.Workspace)", name="none", needs="[s]"),
            deployment("{download: current, artifact: x-s-1}", "bash: cat ../x-s-1/f", name="one", needs="[s]"),
            deployment(
                "download: none",
                "{task: DownloadPipelineArtifact@2, inputs: {artifact: x-s-1, path: got}}",
                "bash: cat ../got/f",
                name="task",
                needs="[s]",
            ),
        )
    )
    results = run(tmp_path, pipeline)
    assert {one.result for one in results.values()} == {"Succeeded"}
    assert [said(results[f"{name}.{name}"]) for name in ("all", "one", "task")] == [["hello"]] * 3
    assert said(results["none.none"]) == ["_temp", "a", "b", "s"]
    assert (tmp_path / "run/artifacts/x-s-1/f").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ((PUBLISH[1],), "Path does not exist"),
        ((*PUBLISH, PUBLISH[1]), "already exists"),
        (("{publish: ., artifact: a:b}",), "holds one of"),
        (("{download: current, artifact: nothing}",), "was not found"),
    ],
)
def test_an_artifact_that_cannot_be_kept_or_found_fails_the_step(
    tmp_path: Path, steps: tuple[str, ...], sentence: str
) -> None:
    result = run(tmp_path, job(*steps))["s.j"]
    assert result.result == "Failed"
    assert sentence in result.steps[-1].output


CLI = (
    "{task: AzureCLI@2, name: x, inputs: {azureSubscription: app-dev, scriptType: bash, "
    "scriptLocation: inlineScript, addSpnToEnvironment: %s, inlineScript: '%s'}, env: {E: $(Build.Reason)}}"
)
AZ = 'echo "az $*"; [[ -n $AZURE_CONFIG_DIR ]] || exit 8'


def test_the_azure_cli_is_signed_in_as_the_connection_says_and_out_again(tmp_path: Path) -> None:
    environ = program(tmp_path / "bin", "az", AZ)
    script = 'echo "$E $servicePrincipalId $tenantId ${#idToken} $AZURESUBSCRIPTION_CLIENT_ID"; az ml job list; exit 3'
    connect = {"app-dev": Identity("conn", "client", "tenant", "sub", "a-token")}
    result = run(tmp_path, job(CLI % ("true", script)), environ=environ, connect=connect.__getitem__)["s.j"]
    assert said(result) == [
        "az --version",
        "az login --service-principal -u client --tenant tenant --allow-no-subscriptions --federated-token ***",
        "az account set --subscription sub",
        "Manual client tenant 7 client",
        "az ml job list",
        "az account clear",
    ]
    assert (result.result, result.steps[0].code) == ("Failed", 3)


def test_a_script_gets_the_identity_only_if_it_asks_for_it(tmp_path: Path) -> None:
    environ = program(tmp_path / "bin", "az", "true")
    result = run(tmp_path, job(CLI % ("false", "echo [$idToken]")), environ=environ)["s.j"]
    assert said(result) == ["[]"]


def test_an_identity_that_is_refused_runs_no_script(tmp_path: Path) -> None:
    environ = program(tmp_path / "bin", "az", 'echo "$1"; [[ $1 != login ]]')
    result = run(tmp_path, job(CLI % ("true", "echo script")), environ=environ)["s.j"]
    assert (result.result, said(result)) == ("Failed", ["--version", "login"])


def test_a_connection_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path) -> None:
    def connect(name: str) -> Identity:
        raise PipelineError(f"There is no service connection {name}.", "Create it.")

    with pytest.raises(PipelineError, match=r"main.yml:7: There is no service connection app-dev. Create it."):
        run(tmp_path, job(CLI % ("true", "true")), connect=connect)


def test_python_of_the_version_is_found_or_missed(tmp_path: Path) -> None:
    environ = program(tmp_path / "bin", "python", 'echo "Python 3.99.1"') | {}
    program(tmp_path / "bin", "python3.98", 'echo "Python 3.98.0"')
    use = "{task: UsePythonVersion@0, inputs: {versionSpec: '%s'}}"
    pipeline = job(use % "3.99", "bash: python", use % "3.98", "bash: python3", use % "3.97")
    result = run(tmp_path, pipeline, environ=environ)["s.j"]
    assert said(result)[:2] == ["Python 3.99.1", "Python 3.98.0"]
    assert [step.result for step in result.steps] == ["Succeeded"] * 4 + ["Failed"]
    assert "Version 3.97 of Python is not on the PATH" in result.steps[-1].output


def test_what_a_script_tells_the_agent_is_done(tmp_path: Path) -> None:
    steps = (
        "bash: echo '##vso[task.setvariable variable=key;isSecret=true]hush'",
        "bash: echo '##vso[task.prependpath]/some/where'; echo '##vso[task.setvariable variable=x;isOutput=true]1'",
        'bash: echo "$(key) [$KEY] ${PATH%%:*}"',
        'bash: echo page > $AGENT_TEMPDIRECTORY/p.md; echo "##vso[task.uploadsummary]$AGENT_TEMPDIRECTORY/p.md"',
        "bash: 'echo \"##vso[task.logissue type=warning;linenumber=3]careful; now\"'",
        "bash: echo '##vso[task.complete result=Failed]no'",
    )
    result = run(tmp_path, job(*steps))["s.j"]
    assert "*** [] /some/where" in said(result)
    assert result.outputs == {}  # no step has a name
    assert result.attachments == {"p.md": "page\n"}
    assert result.issues == ("warning: careful; now",)
    assert [step.result for step in result.steps] == ["Succeeded"] * 5 + ["Failed"]


def test_a_summary_that_is_not_there_fails_the_step(tmp_path: Path) -> None:
    result = run(tmp_path, job("bash: echo '##vso[task.uploadsummary]/no/file'"))["s.j"]
    assert result.result == "Failed"


@pytest.mark.parametrize(
    ("said_by_script", "sentence"),
    [
        ("##vso[task.setvariabel variable=x]1", "main.yml:7: .*task.setvariabel.*Did you mean 'task.setvariable'"),
        ("##vso[task.setvariable variable=x;isReadOnly=true]1", "main.yml:7: .*with isreadonly"),
        ("##vso[build.updatebuildnumber]1", "main.yml:7: .*build.updatebuildnumber"),
    ],
)
def test_what_a_script_tells_the_agent_and_nobody_knows_is_refused(
    tmp_path: Path, said_by_script: str, sentence: str
) -> None:
    with pytest.raises(PipelineError, match=sentence):
        run(tmp_path, job(f"bash: echo '{said_by_script}'"))


def test_a_variable_that_nothing_gives_is_refused_where_the_service_would_hand_on_its_name(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"main.yml:7: no variable is named AML_EXT_VERSION"):
        run(tmp_path, job("{bash: 'true', env: {V: $(AML_EXT_VERSION)}}"))


def test_the_output_of_a_step_that_did_not_run_stays_a_name(tmp_path: Path) -> None:
    steps = (
        "{bash: 'true', name: gate, condition: failed()}",
        "{bash: 'echo \"$V\"', env: {V: $(gate.outcome)}}",
    )
    assert said(run(tmp_path, job(*steps))["s.j"]) == ["$(gate.outcome)"]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (CLI.replace("scriptType: bash", "scriptType: ps") % ("true", "x"), "main.yml:7: scriptType is 'ps'"),
        (CLI.replace("app-dev", "$(where)") % ("true", "x"), "main.yml:7: the service connection"),
        (CLI.replace("azureSubscription", "subscription") % ("true", "x"), "main.yml:7: AzureCLI@2 has the key subscr"),
        (CLI % ("true", "x" * 5001), "main.yml:7: its script is longer than 5000"),
        ("{task: PublishPipelineArtifact@1, inputs: {targetPath: a}}", "main.yml:7: .* lacks the input artifact"),
        ("{task: UsePythonVersion@0}", "main.yml:7: .* lacks the input versionSpec"),
        ("checkout: other", "main.yml:7: the rehearsal cannot check out other"),
        ("{checkout: self, submodules: true}", "main.yml:7: A step with checkout has the key submodules"),
        ("download: other", "main.yml:7: the rehearsal cannot download from other"),
    ],
)
def test_a_task_or_input_that_is_not_known_is_refused(tmp_path: Path, step: str, sentence: str) -> None:
    with pytest.raises(PipelineError, match=sentence):
        run(tmp_path, job(step))


def test_nothing_that_a_job_started_is_left_behind(tmp_path: Path) -> None:
    result = run(tmp_path, job("bash: sleep 300 & echo $!", "bash: 'true'"))["s.j"]
    (number,) = said(result)
    for _ in range(100):
        state = subprocess.run(["ps", "-o", "stat=", "-p", number], capture_output=True, text=True, check=False).stdout
        if not state.strip() or state.startswith("Z"):
            return
        time.sleep(0.05)
    pytest.fail(f"{number} is {state}")
