"""The variables that the service gives every run."""

from collections.abc import Mapping

from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_model import PipelineRun, fault
from mlops_new.rehearse.azure_pipelines_variables import Variables

_TOKEN = "rehearsal-of-the-access-token"  # noqa: S105 - it opens nothing


def predefined(run: PipelineRun, commit: str, place: Place, number: str) -> Variables:
    """The variables of a run, under those that it was started with; `number` is the name that the pipeline gives it.

    Raises:
        PipelineError: The name asks for a variable that is not known.
    """
    variables = Variables()
    known: dict[str, str] = {
        "Build.BuildId": "1",
        "Build.DefinitionName": place.path.rsplit("/", 1)[-1].removesuffix(".yml"),
        "Build.Reason": run.reason,
        "Build.Repository.Id": "rehearsal",
        "Build.Repository.Provider": "TfsGit",
        "Build.RequestedFor": "Rehearsal",
        "Build.SourceBranch": run.branch,
        "Build.SourceBranchName": run.branch.rsplit("/", 1)[-1],
        "Build.SourceVersion": commit,
        "System.CollectionUri": "https://dev.azure.com/rehearsal/",
        "System.TeamProject": "rehearsal",
        "System.TeamProjectId": "rehearsal",
        **_review(run),
    }
    variables.update({**known, **run.variables})
    variables.set("System.AccessToken", dict(run.variables).get("System.AccessToken", _TOKEN), is_secret=True)
    name = variables.expand(number)
    if "$(" in name:
        raise fault(place, f"the name of a run, {number!r}, asks for what the rehearsal does not know", "Correct it.")
    variables.set("Build.BuildNumber", name)
    return variables


def _review(run: PipelineRun) -> Mapping[str, str]:
    """What is known of the pull request that started a run."""
    if run.reason != "PullRequest":
        return {}
    number = run.branch.removeprefix("refs/pull/").split("/")[0]
    return {
        "System.PullRequest.IsFork": "False",
        "System.PullRequest.PullRequestId": number,
        "System.PullRequest.TargetBranch": "refs/heads/main",
        "System.PullRequest.TargetBranchName": "main",
    }
