"""What each task does on this machine."""

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_new import git
from mlops_new.rehearse.azure_pipelines_model import PipelineRun
from mlops_new.rehearse.azure_pipelines_plan_steps import (
    AZURE_CLI,
    BASH,
    CHECKOUT,
    DOWNLOAD,
    PUBLISH,
    PYTHON,
    SCRIPT,
    Step,
)
from mlops_new.rehearse.azure_pipelines_processes import Ended, Limits, Processes
from mlops_new.rehearse.azure_pipelines_variables import Variables

_NOT_IN_A_NAME = '\\/":<>|*?'


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a step works: the project and commit to check out, the job's folder, variables, programs and limits."""

    run: PipelineRun
    project: Path
    commit: str
    folder: Path
    variables: Variables
    processes: Processes
    limits: Limits
    environ: Mapping[str, str]

    @property
    def sources(self) -> Path:
        """Where the project is checked out."""
        return self.folder / "s"

    @property
    def temporary(self) -> Path:
        """Where a job may leave what nobody needs after it."""
        return self.folder / "_temp"

    @property
    def artifacts(self) -> Path:
        """The artifacts of the run."""
        return self.run.folder / "artifacts"

    def program(self, *command: str, folder: Path | None = None, more: Mapping[str, str] | None = None) -> Ended:
        """Run a program that stands on the PATH of the job."""
        found = shutil.which(command[0], path=self.environ.get("PATH", ""))
        if found is None:
            return Ended(127, f"{command[0]} is not on the PATH of the job.\n")
        environ = {**self.environ, **(more or {})}
        return self.processes.run((found, *command[1:]), folder or self.sources, environ, self.limits)

    def bash(
        self, text: str, step: Step, options: tuple[str, ...] = (), more: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a script in its folder. It stops at no fault unless it says `set -e`: the agent adds nothing."""
        named = self.variables.expand(step.inputs.get("workingDirectory", ""))
        folder = self.sources / named
        if not folder.is_dir():
            return Ended(1, f"There is no folder {folder}.\n")
        script = self.temporary / f"{uuid.uuid4()}.sh"
        script.write_text(text, encoding="utf-8")
        return self.program("bash", *options, str(script), folder=folder, more=more)


def perform(bench: Bench, step: Step) -> Ended:
    """Do what a step says."""
    return _TASKS[step.task](bench, step, {key: bench.variables.expand(text) for key, text in step.inputs.items()})


def _bash(bench: Bench, step: Step, inputs: Mapping[str, str]) -> Ended:
    return bench.bash(inputs["script"], step)


def _script(bench: Bench, step: Step, inputs: Mapping[str, str]) -> Ended:
    return bench.bash(inputs["script"], step, ("--noprofile", "--norc"))


def _checkout(bench: Bench, _step: Step, inputs: Mapping[str, str]) -> Ended:
    """A copy of its own, by git, of the depth that is asked for."""
    depth = int(inputs["fetchDepth"])
    git.run("init", "--quiet", str(bench.sources))
    if depth:
        wanted = [f"--depth={depth}", bench.project.as_uri(), bench.commit]
    else:
        wanted = [bench.project.as_uri(), "+refs/heads/*:refs/remotes/origin/*", bench.commit]
    git.run("fetch", "--quiet", "--no-tags", *wanted, folder=bench.sources)
    git.run("checkout", "--quiet", "--force", "--detach", bench.commit, folder=bench.sources)
    return Ended(None, f"Checked out {bench.commit}.\n")


def _publish(bench: Bench, _step: Step, inputs: Mapping[str, str]) -> Ended:
    source, name = bench.sources / inputs["targetPath"], inputs["artifact"]
    target = bench.artifacts / name
    if set(name) & set(_NOT_IN_A_NAME):
        return Ended(1, f"The artifact's name {name} holds one of {_NOT_IN_A_NAME}.\n")
    if not source.exists():
        return Ended(1, f"Path does not exist: {source}.\n")
    if target.exists():
        return Ended(1, f"Artifact {name} already exists in this run.\n")
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        target.mkdir(parents=True)
        shutil.copy2(source, target)
    return Ended(None, f"Published {name}.\n")


def _download(bench: Bench, _step: Step, inputs: Mapping[str, str]) -> Ended:
    """One artifact into the folder that is named; all, each into a folder of its own name."""
    wanted = inputs.get("artifact", "")
    known = sorted(path.name for path in bench.artifacts.iterdir())
    if wanted and wanted not in known:
        return Ended(1, f"Artifact {wanted} was not found in this run.\n")
    named = inputs.get("path")
    for name in [wanted] if wanted else known:
        folder = bench.folder / named if named else bench.folder / name
        target = folder if wanted or not named else folder / name
        shutil.copytree(bench.artifacts / name, target, dirs_exist_ok=True, symlinks=True)
    return Ended(None, f"Downloaded {wanted or ', '.join(known) or 'nothing'}.\n")


def _python(bench: Bench, _step: Step, inputs: Mapping[str, str]) -> Ended:
    """The Python of the PATH where it has the version, else one of that version by its own name."""
    version = inputs["versionSpec"].removesuffix(".x")
    told = bench.program("python", "--version", folder=bench.temporary)
    words = told.output.split()
    if told.is_good and words and (words[-1] == version or words[-1].startswith(f"{version}.")):
        return Ended(None, f"Found {told.output.strip()}.\n")
    found = shutil.which(f"python{version}", path=bench.environ.get("PATH", ""))
    if found is None:
        return Ended(1, f"Version {version} of Python is not on the PATH of the job.\n")
    folder = bench.temporary / "python"
    folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        (folder / name).write_text(f'#!/bin/sh\nexec "{found}" "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return Ended(None, f"Found {found}.\n##vso[task.prependpath]{folder}\n")


def _azure_cli(bench: Bench, step: Step, inputs: Mapping[str, str]) -> Ended:
    """Sign in as the service connection's identity, run the script, sign out."""
    who = bench.run.connect(inputs["azureSubscription"])
    bench.variables.mask(who.token)
    more = {"AZURE_CONFIG_DIR": str(bench.temporary / ".azclitask")}
    login = ("login", "--service-principal", "-u", who.client, "--tenant", who.tenant, "--allow-no-subscriptions")
    quiet = () if inputs.get("visibleAzLogin", "true").lower() == "true" else ("--output", "none")
    said = ""
    for command in (
        ("--version",),
        (*login, "--federated-token", who.token, *quiet),
        ("account", "set", "--subscription", who.subscription),
    ):
        done = bench.program("az", *command, more=more)
        said += done.output
        if not done.is_good:
            return Ended(done.code, said, done.how)
    more |= {
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": who.connection,
        "AZURESUBSCRIPTION_CLIENT_ID": who.client,
        "AZURESUBSCRIPTION_TENANT_ID": who.tenant,
    }
    if inputs.get("addSpnToEnvironment", "").lower() == "true":
        more |= {"servicePrincipalId": who.client, "idToken": who.token, "tenantId": who.tenant}
    done = bench.bash(inputs["inlineScript"], step, more=more)
    out = bench.program("az", "account", "clear", more=more)
    return Ended(done.code, said + done.output + out.output, done.how)


_TASKS: Mapping[str, Callable[[Bench, Step, Mapping[str, str]], Ended]] = {
    AZURE_CLI: _azure_cli,
    BASH: _bash,
    CHECKOUT: _checkout,
    DOWNLOAD: _download,
    PUBLISH: _publish,
    PYTHON: _python,
    SCRIPT: _script,
}
