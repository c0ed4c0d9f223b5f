"""The README tells the truth: its tables are those of the code, its commands are there."""

import os
import re

import pytest

from scripts.cli.settings import settings_table
from scripts.stages import ROOT, Stage, read_jobs, read_stages

README = (ROOT / "README.md").read_text()


def what_follows(stage: Stage) -> str:
    """What a stage emits, the job that it starts, or that nothing follows."""
    started = [f"starts `{stage.starts}`"] if stage.starts else []
    return ", ".join([*stage.emits, *started]) or "(end)"


def test_the_table_of_stages_is_that_of_stages_yaml() -> None:
    """One row a stage, in the same order and with the same words."""
    rows = [
        f"| `{name}` | {stage.takes} | {what_follows(stage)} | {stage.does} |"
        for name, stage in read_stages().items()
    ]
    header = "| stage | takes | emits | does |\n| --- | --- | --- | --- |\n"
    assert header + "\n".join(rows) + "\n\n" in README


def test_the_table_of_jobs_is_that_of_jobs_yaml() -> None:
    """One row a job, in the same order and with the same words."""
    rows = [
        f"| `{name}` | {job.takes} | {', '.join(job.emits) or '(end)'} | {job.does} |"
        for name, job in read_jobs().items()
    ]
    header = "| job | takes | emits | does |\n| --- | --- | --- | --- |\n"
    assert header + "\n".join(rows) + "\n\n" in README


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """What `scripts/gv settings` prints."""
    assert settings_table() in README


@pytest.mark.parametrize(
    "script", sorted(set(re.findall(r"scripts/(?:run|test|gv|check)\b", README)))
)
def test_a_command_that_the_readme_names_can_be_run(script: str) -> None:
    """It is there and executable."""
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_of_the_readme_leads_somewhere(path: str) -> None:
    """Every relative link names a file of the repository."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"scripts/gv (\w+)", README))))
def test_a_verb_that_the_readme_names_exists(verb: str) -> None:
    """`scripts/gv VERB` is known to the command line."""
    from scripts.cli.__main__ import VERBS

    assert verb in VERBS
