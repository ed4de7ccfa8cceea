"""The order of stages and jobs, their conditions, and what they hand on."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure_run import run, said, states
from mlops_new.rehearse.azure_pipelines import PipelineError, StepEvent

OK = "steps: [{checkout: none}, {bash: 'true'}]"
BAD = "steps: [{checkout: none}, {bash: 'false'}]"


def stages(*entries: str) -> str:
    return "stages:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def test_a_failed_stage_skips_those_behind_it_unless_a_condition_says_otherwise(tmp_path: Path) -> None:
    results = run(
        tmp_path,
        stages(
            f"stage: a, jobs: [{{job: j, {BAD}}}]",
            f"stage: b, jobs: [{{job: j, {OK}}}]",
            f"stage: c, dependsOn: a, condition: failed(), jobs: [{{job: j, {OK}}}]",
            f"stage: d, dependsOn: [a, b], condition: always(), jobs: [{{job: j, {OK}}}]",
            f"stage: e, dependsOn: [], jobs: [{{job: j, {OK}}}]",
            f"stage: f, dependsOn: d, jobs: [{{job: j, {OK}}}]",
            f"stage: g, dependsOn: [a, c], condition: succeeded('c'), jobs: [{{job: j, {OK}}}]",
            f"stage: h, dependsOn: a, condition: \"in(dependencies.a.result, 'Failed')\", jobs: [{{job: j, {OK}}}]",
        ),
    )
    assert states(results) == {
        "a.j": "Failed",
        "b.j": "Skipped",
        "c.j": "Succeeded",
        "d.j": "Succeeded",
        "e.j": "Succeeded",
        "f.j": "Skipped",  # a, before d, failed
        "g.j": "Succeeded",
        "h.j": "Succeeded",
    }


def test_a_failed_job_skips_the_jobs_that_wait_for_it(tmp_path: Path) -> None:
    jobs = (
        f"{{job: late, dependsOn: bad, {OK}}}, {{job: bad, {BAD}}}, {{job: free, {OK}}}, "
        f"{{job: mend, dependsOn: bad, condition: failed(), {OK}}}"
    )
    results = run(tmp_path, stages(f"stage: s, jobs: [{jobs}]", f"stage: t, jobs: [{{job: j, {OK}}}]"))
    assert states(results) == {
        "s.bad": "Failed",
        "s.late": "Skipped",
        "s.mend": "Succeeded",
        "s.free": "Succeeded",
        "t.j": "Skipped",
    }


def test_a_stage_whose_jobs_are_all_skipped_is_skipped(tmp_path: Path) -> None:
    results = run(
        tmp_path,
        stages(
            f"stage: a, jobs: [{{job: j, condition: \"eq('a', 'b')\", {OK}}}]",
            f"stage: b, jobs: [{{job: j, {OK}}}]",
            f"stage: c, dependsOn: a, condition: \"eq(dependencies.a.result, 'Skipped')\", jobs: [{{job: j, {OK}}}]",
        ),
    )
    assert states(results) == {"a.j": "Skipped", "b.j": "Skipped", "c.j": "Succeeded"}


STEPS = """\
stages:
  - stage: s
    jobs:
      - job: j
        steps:
          - checkout: none
          - {bash: "false", displayName: minor, continueOnError: true}
          - {bash: "true", displayName: next}
          - {bash: exit 7, displayName: major}
          - {bash: "true", displayName: skipped}
          - {bash: "true", displayName: mend, condition: failed()}
          - {bash: "false", displayName: both, condition: succeededOrFailed()}
          - {bash: "true", displayName: last, condition: always()}
"""


def test_the_steps_of_a_job_go_on_as_their_conditions_say(tmp_path: Path) -> None:
    job = run(tmp_path, STEPS)["s.j"]
    assert [(step.name, step.result, step.code) for step in job.steps] == [
        ("minor", "Failed", 1),
        ("next", "Succeeded", 0),
        ("major", "Failed", 7),
        ("skipped", "Skipped", None),
        ("mend", "Succeeded", 0),
        ("both", "Failed", 1),
        ("last", "Succeeded", 0),
    ]
    assert job.result == "Failed"
    assert job.issues == ("error: minor failed, and the job went on.",)


def test_a_fault_that_a_job_goes_on_from_does_not_stop_what_waits_for_it(tmp_path: Path) -> None:
    minor = "steps: [{checkout: none}, {bash: 'false', continueOnError: true}]"
    asks = "condition: \"and(succeeded(), eq(dependencies.a.result, 'SucceededWithIssues'))\""
    results = run(
        tmp_path, stages(f"stage: a, jobs: [{{job: j, {minor}}}]", f"stage: b, {asks}, jobs: [{{job: j, {OK}}}]")
    )
    assert states(results) == {"a.j": "Succeeded", "b.j": "Succeeded"}


OUTPUTS = """\
variables:
  - {name: base, value: from-$(Build.Reason)}
  - group: shared
stages:
  - stage: make
    jobs:
      - job: plain
        steps:
          - checkout: none
          - bash: |
              echo "##vso[task.setvariable variable=code;isOutput=true]a%3B%AZP250A"
              echo "##vso[task.setvariable variable=own]mine"
            name: files
          - bash: echo "$CODE / $FILES_CODE / $OWN / $BASE / $WORD"
            condition: and(succeeded(), startsWith(variables['files.code'], 'a'))
            env: {CODE: $(files.code)}
      - job: behind
        dependsOn: plain
        variables: {code: "$[ dependencies.plain.outputs['files.code'] ]"}
        condition: ne(dependencies.plain.outputs['files.code'], '')
        steps: [{checkout: none}, {bash: "echo behind $CODE"}]
      - deployment: out
        environment: dev
        strategy:
          runOnce:
            deploy:
              steps:
                - download: none
                - {bash: "echo '##vso[task.setvariable variable=url;isOutput=true]here'", name: up}
  - stage: use
    variables:
      code: $[ stageDependencies.make.plain.outputs['files.code'] ]
      none: $[ stageDependencies.make.plain.outputs['files.nothing'] ]
    condition: |
      and(succeeded(), ne(dependencies.make.outputs['plain.files.code'], ''),
      eq(dependencies.make.outputs['out.out.up.url'], 'here'))
    jobs:
      - job: j
        condition: eq(stageDependencies.make.out.outputs['out.up.url'], 'here')
        variables: {url: "$[ stageDependencies.make.out.outputs['out.up.url'] ]"}
        steps: [{checkout: none}, {bash: "echo use $CODE $URL [$NONE] $BUILD_REASON"}]
"""


def test_values_are_handed_on_between_steps_jobs_and_stages(tmp_path: Path) -> None:
    results = run(tmp_path, OUTPUTS, reason="Schedule", groups={"shared": {"word": "group"}})
    code = "a;%0A"
    assert results["make.plain"].outputs == {"files.code": code}
    assert results["make.out"].outputs == {"out.up.url": "here"}
    assert said(results["make.plain"])[-1] == f"{code} / {code} / mine / from-Schedule / group"
    assert said(results["make.behind"]) == [f"behind {code}"]
    assert said(results["use.j"]) == [f"use {code} here [] Schedule"]


DEPLOY = """\
stages:
  - stage: test
    jobs:
      - job: plain
        steps: [{checkout: none}, {bash: "true"}]
      - deployment: d
        environment: app-test
        strategy: {runOnce: {deploy: {steps: [{download: none}, {bash: "true"}]}}}
  - stage: prod
    jobs:
      - deployment: d
        environment: {name: app-prod}
        strategy: {runOnce: {deploy: {steps: [{download: none}, {bash: "true"}]}}}
      - deployment: e
        dependsOn: d
        environment: app-prod
        strategy: {runOnce: {deploy: {steps: [{download: none}, {bash: "true"}]}}}
  - stage: after
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
  - stage: alarm
    dependsOn: prod
    condition: failed()
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
"""


@pytest.mark.parametrize(
    ("refused", "asked", "wanted"),
    [
        ("", ["app-test", "app-prod"], ["Succeeded", "Succeeded", "Succeeded", "Succeeded", "Succeeded", "Skipped"]),
        (
            "app-prod",
            ["app-test", "app-prod"],
            ["Succeeded", "Succeeded", "Rejected", "Rejected", "Skipped", "Succeeded"],
        ),
        ("app-test", ["app-test"], ["Skipped", "Rejected", "Skipped", "Skipped", "Skipped", "Succeeded"]),
    ],
)
def test_a_refused_approval_stops_the_stage_and_those_behind_it(
    tmp_path: Path, refused: str, asked: list[str], wanted: list[str]
) -> None:
    calls: list[str] = []

    def approve(environment: str) -> bool:
        calls.append(environment)
        return environment != refused

    results = run(tmp_path, DEPLOY, approve=approve)
    assert list(states(results).values()) == wanted
    assert calls == asked
    assert results["prod.d"].environment == "app-prod"


def test_nobody_is_asked_about_a_stage_that_does_not_start(tmp_path: Path) -> None:
    def approve(environment: str) -> bool:
        assert environment == "app-test"
        return True

    pipeline = DEPLOY.replace("  - stage: prod\n", "  - stage: prod\n    condition: eq(1, 2)\n")
    assert states(run(tmp_path, pipeline, approve=approve))["prod.d"] == "Skipped"


def test_a_stage_holds_the_locks_of_its_groups_while_it_runs(tmp_path: Path) -> None:
    events: list[str] = []

    @contextmanager
    def hold(locks: Sequence[str]) -> Iterator[None]:
        events.append(f"hold {','.join(locks)}")
        yield
        events.append(f"free {','.join(locks)}")

    pipeline = stages(
        f"stage: a, jobs: [{{job: j, variables: [{{group: lock}}, {{group: other}}], {OK}}}]",
        f"stage: b, condition: failed(), jobs: [{{job: j, variables: [{{group: lock}}], {OK}}}]",
    )
    groups = {"lock": {"LOCK": ""}, "other": {}}
    run(tmp_path, pipeline, groups=groups, hold=hold, on_step=lambda event: events.append(event.name))
    assert events == ["hold lock,other", "true", "true", "free lock,other"]


SLOW = """\
stages:
  - stage: s
    jobs:
      - job: j
        timeoutInMinutes: 5
        steps:
          - checkout: none
          - {bash: sleep 60, displayName: slow, %s}
          - {bash: "true", displayName: next}
          - {bash: "true", displayName: mend, condition: failed()}
          - {bash: "true", displayName: last, condition: always()}
  - stage: after
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
"""


@pytest.mark.parametrize(
    ("limit", "wanted", "result"),
    [
        ("timeoutInMinutes: 0", ["Canceled", "Skipped", "Skipped", "Succeeded"], "Canceled"),
        ("timeoutInMinutes: 1", ["Failed", "Skipped", "Succeeded", "Succeeded"], "Failed"),
        ("timeoutInMinutes: 1, continueOnError: true", ["Failed", "Succeeded", "Skipped", "Succeeded"], "Succeeded"),
    ],
)
def test_what_takes_longer_than_its_limit_is_stopped(
    tmp_path: Path, limit: str, wanted: list[str], result: str
) -> None:
    results = run(tmp_path, SLOW % limit, minute=0.4)
    assert [step.result for step in results["s.j"].steps] == wanted
    assert states(results) == {"s.j": result, "after.j": "Succeeded" if result == "Succeeded" else "Skipped"}
    assert results["s.j"].steps[0].seconds < 10


CANCELLED = """\
stages:
  - stage: s
    jobs:
      - job: j
        steps:
          - checkout: none
          - {bash: sleep %s, displayName: slow}
          - {bash: "true", displayName: next}
          - {bash: "true", displayName: mend, condition: failed()}
          - {bash: sleep 0.6, displayName: last, condition: always()}
      - job: k
        dependsOn: j
        steps: [{checkout: none}, {bash: "true"}]
  - stage: after
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
  - stage: either
    condition: succeededOrFailed()
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
  - stage: stopped
    condition: canceled()
    jobs: [{job: j, steps: [{checkout: none}, {bash: "true"}]}]
"""


@pytest.mark.parametrize("seconds", ["60", "0"])
def test_a_run_that_is_cancelled_cleans_up_and_starts_nothing_else(tmp_path: Path, seconds: str) -> None:
    cancel = threading.Event()

    def on_step(event: StepEvent) -> None:
        if event.name == "slow" and event.result:
            cancel.set()
        elif event.name == "slow" and seconds != "0":
            threading.Timer(0.3, cancel.set).start()

    results = run(tmp_path, CANCELLED % seconds, cancel=cancel, on_step=on_step)
    slow = "Canceled" if seconds != "0" else "Succeeded"
    assert [step.result for step in results["s.j"].steps] == [slow, "Skipped", "Skipped", "Succeeded"]
    assert results["s.j"].steps[0].seconds < 20
    assert states(results) == {
        "s.j": "Canceled",
        "s.k": "Canceled",
        "after.j": "Canceled",
        "either.j": "Canceled",
        "stopped.j": "Succeeded",
    }


def test_succeeded_or_failed_asks_nothing_of_what_stands_before(tmp_path: Path) -> None:
    results = run(
        tmp_path,
        stages(
            f"stage: a, condition: failed(), jobs: [{{job: j, {OK}}}]",
            f"stage: b, condition: succeededOrFailed(), jobs: [{{job: j, {OK}}}]",
            f"stage: c, dependsOn: a, condition: succeededOrFailed('a'), jobs: [{{job: j, {OK}}}]",
        ),
    )
    assert states(results) == {"a.j": "Skipped", "b.j": "Succeeded", "c.j": "Skipped"}


def test_what_is_raised_while_a_step_starts_ends_the_run(tmp_path: Path) -> None:
    def on_step(event: StepEvent) -> None:
        if event.name == "mend":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, SLOW.replace("sleep 60", "false") % "enabled: true", on_step=on_step)


REFUSED = {
    "a stage that waits for none": (
        stages(f"stage: a, dependsOn: b, jobs: [{{job: j, {OK}}}]"),
        "main.yml:2: a waits for b, which is not there",
    ),
    "a circle": (
        stages(*(f"stage: {a}, dependsOn: {b}, jobs: [{{job: j, {OK}}}]" for a, b in ("ab", "ba"))),
        r"main.yml:\d: these wait for each other: [ab], [ab]",
    ),
    "a condition about a stage that is not waited for": (
        stages(
            f"stage: a, jobs: [{{job: j, {OK}}}]",
            f"stage: b, dependsOn: [], condition: \"eq(dependencies.a.result, 'x')\", jobs: [{{job: j, {OK}}}]",
        ),
        "main.yml:3: a is asked about, but not among what is waited for",
    ),
    "a variable from a job that is not there": (
        stages(
            f"stage: a, jobs: [{{job: j, {OK}}}]",
            f"stage: b, variables: {{x: \"$[ stageDependencies.a.k.outputs['s.v'] ]\"}}, jobs: [{{job: j, {OK}}}]",
        ),
        "main.yml:3: k is asked about.*Did you mean|Known are j",
    ),
    "a misspelt part": (
        stages(
            f"stage: a, jobs: [{{job: j, {OK}}}]",
            f"stage: b, condition: \"eq(dependencies.a.output['x.y'], 'x')\", jobs: [{{job: j, {OK}}}]",
        ),
        "main.yml:3: dependencies.a.output.x.y is not known",
    ),
    "a status of a stage that is not waited for": (
        stages(f"stage: a, jobs: [{{job: j, {OK}}}]", f"stage: b, condition: failed('c'), jobs: [{{job: j, {OK}}}]"),
        "main.yml:3: c is asked about",
    ),
    "an expression within a text": (
        stages(f"stage: a, variables: {{x: \"a $[ variables['b'] ]\"}}, jobs: [{{job: j, {OK}}}]"),
        r"main.yml:2: \$\[ \] has to stand alone",
    ),
    "a step's name that stands twice": (
        stages("stage: a, jobs: [{job: j, steps: [{bash: a, name: x}, {bash: b, name: x}]}]"),
        "main.yml:2: the name x stands here twice",
    ),
    "a group that is not there": (
        stages(f"stage: a, variables: [{{group: g}}], jobs: [{{job: j, {OK}}}]"),
        "main.yml:2: there is no variable group g",
    ),
    "a strategy": (
        stages("stage: a, jobs: [{deployment: d, environment: e, strategy: {canary: {}}}]"),
        "main.yml:2: The strategy has the key canary",
    ),
    "a matrix": (
        stages(f"stage: a, jobs: [{{job: d, strategy: {{matrix: {{}}}}, {OK}}}]"),
        "main.yml:2: The job has the key strategy",
    ),
    "a pool without an agent": (
        stages(f"stage: a, pool: server, jobs: [{{job: d, {OK}}}]"),
        "main.yml:2: a mapping is expected here",
    ),
    "a trigger's key": (
        "trigger:\n  brunches: {include: [main]}\n" + stages(f"stage: a, jobs: [{{job: d, {OK}}}]"),
        "main.yml:2: trigger has the key brunches",
    ),
    "a limit that is no number": (
        stages(f"stage: a, jobs: [{{job: d, timeoutInMinutes: long, {OK}}}]"),
        "main.yml:2: timeoutInMinutes is 'long'",
    ),
    "a name that asks for an unknown variable": (
        "name: x-$(Rev:r)\n" + stages(f"stage: a, jobs: [{{job: d, {OK}}}]"),
        r"main.yml:1: the name of a run, 'x-\$\(Rev:r\)', asks for what",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_or_not_known_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    pipeline, sentence = REFUSED[name]
    with pytest.raises(PipelineError, match=sentence):
        run(tmp_path, pipeline, on_step=lambda event: pytest.fail(event.name))
    assert not (tmp_path / "run" / "jobs").exists() or not list((tmp_path / "run" / "jobs").iterdir())
