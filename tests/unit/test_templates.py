"""A tenant's own knowledge: over ours, seen soon after an edit, asked for cheaply."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.cli.__main__ import gv
from shared.app import App
from shared.domain.patterns.templates import KnowledgeInvalid, read_knowledge
from shared.templates import KIND, keep_own, templates_of
from tests.support.apps import Clock, local_app

OWN = {
    "version": 7,
    "status": {"kind": "measured", "since": "2026-12-01", "ads": 12},
    "entries": [{"id": "mine", "texts": {"en": "Only {product}"}}],
}


@dataclass
class CountingDocuments:
    """Documents that count their reads."""

    inner: Any
    reads: int = 0

    def for_tenant(self, tenant_id: str) -> "CountingDocuments":
        return self

    def get(self, kind: str, id: str) -> Any:
        self.reads += 1
        return self.inner.get(kind, id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> App:
    return local_app(tmp_path / "local", clock)


def test_an_edit_is_seen_after_half_a_minute_and_not_asked_for_before(
    app: App, clock: Clock
) -> None:
    counting: Any = CountingDocuments(app.documents)
    watched = replace(app, adapters=replace(app.adapters, documents=lambda: counting))
    templates = templates_of(watched)
    first = templates.read("hooks")
    keep_own("hooks", read_knowledge(json.dumps(OWN), "own.json"), app)
    for _ in range(100):
        assert templates.read("hooks") is first
    assert counting.reads == 1
    clock.pass_seconds(31)
    entries = {entry.id: entry for entry in templates.read("hooks").entries}
    assert "what_if" in entries
    assert entries["mine"].status is not None
    assert entries["mine"].status.ads == 12
    unchanged = templates.read("hooks")
    clock.pass_seconds(31)
    assert templates.read("hooks") is unchanged


def test_knowledge_belongs_to_its_tenant(app: App) -> None:
    keep_own("hooks", read_knowledge(json.dumps(OWN), "own.json"), app)
    theirs = templates_of(app.for_tenant("other")).read("hooks")
    assert "mine" not in {entry.id for entry in theirs.entries}


def test_what_was_broken_by_another_way_is_named(app: App) -> None:
    app.documents.put(KIND, "hooks", {**OWN, "entries": [{"id": "x", "texts": {"en": "{y}"}}]})
    with pytest.raises(KnowledgeInvalid, match="documents knowledge/hooks: entry 'x', en"):
        templates_of(app).read("hooks")


def test_the_verb_lists_checks_and_takes_own_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    listed = runner.invoke(gv, ["knowledge", "list", "hooks", "--language", "de"])
    assert "pov_discovered: POV: Du hast {product} entdeckt (pov)" in listed.output
    assert "[judgement since 2026-11-21, 0 ads]" in listed.output
    (tmp_path / "own.json").write_text(json.dumps(OWN))
    checked = runner.invoke(gv, ["knowledge", "check", "hooks", "own.json"])
    assert "1 entries are in order" in checked.output, checked.output
    assert "mine" not in runner.invoke(gv, ["knowledge", "list", "hooks"]).output
    assert runner.invoke(gv, ["knowledge", "use", "hooks", "own.json"]).exit_code == 0
    assert "mine: Only {product} [measured" in runner.invoke(gv, ["knowledge", "list"]).output
    assert "hooks: 41 entries, 40 of them" in runner.invoke(gv, ["knowledge", "check"]).output
    (tmp_path / "own.json").write_text("{}")
    refused = runner.invoke(gv, ["knowledge", "use", "hooks", "own.json"])
    assert isinstance(refused.exception, KnowledgeInvalid)
