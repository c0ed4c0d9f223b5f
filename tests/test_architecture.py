"""The house holds: who may import whom, who may read the environment, who may catch everything."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORDS = (
    *("shared.models", "shared.inference_models", "shared.score_models"),
    *("shared.council_models", "shared.clip_models"),
    *("shared.creative_models", "shared.timeline_models", "shared.compliance_models"),
    "shared.rendition_models",
)
VOCABULARY = ("shared.errors", "shared.file_paths", "shared.events", *RECORDS, "shared.tables")
PORTS = ("shared.ports", "shared.council_ports", "shared.app")
# SDKs of clouds and ad platforms: they belong behind a port.
VENDORS = [
    *("anthropic", "boto3", "botocore", "business_api_client", "duckdb", "facebook_business"),
    *("flask", "functions_framework", "google", "httpx", "openai", "requests_oauthlib"),
]
WEB = ["functions_framework", "flask"]
STAGE_PARTS = (
    *("shared.domain", "shared.handler", "shared.ledger", "shared.metering", "shared.spend"),
    *PORTS,
    *("shared.jobs", "shared.analysis", "shared.clips", "shared.templates"),
    *("shared.storyboards", "shared.inference", "shared.creation", "shared.renditions"),
    *("shared.scoring", "shared.trained_models", "shared.facts"),
)

# A place, what of ours it may import, and which third parties it must not. The first match rules.
RULES: tuple[tuple[str, tuple[str, ...], list[str]], ...] = (
    ("shared.errors", (), [*VENDORS, "pydantic"]),
    ("shared.file_paths", (), VENDORS),
    ("shared.events", ("shared.errors", "shared.file_paths"), VENDORS),
    ("shared.models", ("shared.errors", "shared.events"), VENDORS),
    ("shared.score_models", ("shared.models", "shared.inference_models"), VENDORS),
    ("shared.tables", (), [*VENDORS, "pydantic"]),
    ("shared.council_models", ("shared.models",), VENDORS),
    ("shared.inference_models", ("shared.models",), VENDORS),
    ("shared.clip_models", ("shared.models",), VENDORS),
    ("shared.creative_models", ("shared.models",), VENDORS),
    ("shared.timeline_models", ("shared.models", "shared.creative_models"), VENDORS),
    ("shared.compliance_models", ("shared.models", "shared.creative_models"), VENDORS),
    (
        "shared.rendition_models",
        (
            *("shared.models", "shared.creative_models"),
            *("shared.timeline_models", "shared.compliance_models"),
        ),
        VENDORS,
    ),
    ("shared.config", VOCABULARY, VENDORS),
    ("shared.logs", (), VENDORS),
    ("shared.envelope", VOCABULARY, VENDORS),
    (
        "shared.domain",
        ("shared.domain", "shared.errors", *RECORDS),
        VENDORS,
    ),
    ("shared.ports", ("shared.events",), VENDORS),
    ("shared.council_ports", ("shared.ports", "shared.council_models"), VENDORS),
    (
        "shared.app",
        ("shared.ports", "shared.council_ports", "shared.events", "shared.models"),
        VENDORS,
    ),
    ("shared.adapters", ("shared.ports", *VOCABULARY), WEB),
    ("shared.ledger", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.metering", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.jobs", ("shared.ledger", *PORTS, *VOCABULARY), VENDORS),
    ("shared.analysis", ("shared.domain", *PORTS, *VOCABULARY), VENDORS),
    ("shared.inference", ("shared.ledger", *PORTS, *VOCABULARY), VENDORS),
    ("shared.facts", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.trained_models", ("shared.domain", *PORTS, *VOCABULARY), VENDORS),
    (
        "shared.scoring",
        (
            *("shared.domain", "shared.clips", "shared.facts", "shared.trained_models"),
            *(*PORTS, *VOCABULARY),
        ),
        VENDORS,
    ),
    ("shared.templates", ("shared.domain", *PORTS, *VOCABULARY), VENDORS),
    ("shared.storyboards", ("shared.domain", "shared.scoring", *PORTS, *VOCABULARY), VENDORS),
    ("shared.clips", ("shared.domain", *PORTS, *VOCABULARY), VENDORS),
    (
        "shared.creation",
        (
            *("shared.domain", *PORTS, "shared.clips", "shared.metering"),
            *("shared.templates", "shared.trained_models", *VOCABULARY),
        ),
        VENDORS,
    ),
    ("shared.renditions", ("shared.domain", *PORTS, *VOCABULARY), VENDORS),
    ("shared.spend", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.status", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.report", (*PORTS, *VOCABULARY), VENDORS),
    ("shared.boards", (*PORTS, *VOCABULARY), VENDORS),
    (
        "shared.bootstrap",
        ("shared.config", *PORTS, "shared.logs", "shared.adapters", *VOCABULARY),
        VENDORS,
    ),
    (
        "shared.handler",
        (
            "shared.bootstrap",
            "shared.jobs",
            "shared.ledger",
            *PORTS,
            "shared.logs",
            "shared.envelope",
            *VOCABULARY,
        ),
        ["google"],
    ),
    ("functions", (*STAGE_PARTS, *VOCABULARY), VENDORS),
    ("containers", (*STAGE_PARTS, "shared.status", *VOCABULARY), ["google"]),
)
MAIN_LINES = 60


def test_the_house_keeps_its_rules() -> None:
    """Every file of the product; the message names file, line and rule."""
    assert [*broken_rules(ROOT)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shared/domain/video/scenes.py", "from shared.adapters.files.disk import DiskFiles"),
        ("shared/domain/video/scenes.py", "import google.cloud.storage"),
        ("shared/domain/video/scenes.py", "def read():\n    from shared import config"),
        ("shared/ports.py", "from shared.config import Settings"),
        ("shared/adapters/files/disk.py", "from shared.adapters.bus.sqlite import SqliteBus"),
        ("shared/adapters/files/disk.py", "from shared.adapters.files.gcs import GcsFiles"),
        ("shared/adapters/files/disk.py", "from shared import config"),
        ("shared/ledger.py", "from shared.bootstrap import app"),
        ("shared/handler.py", "import importlib\nimportlib.import_module('shared.adapters.x')"),
        ("functions/ingest/main.py", "from shared.adapters.files.disk import DiskFiles"),
        ("functions/ingest/main.py", "from functions.analyze.main import analyze"),
        ("functions/ingest/main.py", "import shared.config"),
        ("functions/ingest/main.py", "\n" * MAIN_LINES + "x = 1"),
        ("shared/ports.py", "import os\nHOME = os.environ['HOME']"),
        ("shared/ports.py", "import os\nHOME = os.getenv('HOME')"),
        ("shared/ports.py", "from os import environ"),
        ("shared/ledger.py", "try:\n    x = 1\nexcept Exception:\n    x = 2"),
        ("shared/ledger.py", "try:\n    x = 1\nexcept (ValueError, BaseException):\n    x = 2"),
        ("shared/ledger.py", "try:\n    x = 1\nexcept:\n    x = 2"),
        ("shared/unheard_of.py", "x = 1"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, path: str, text: str) -> None:
    """The check can fail: each rule is seen failing on a violation of its own."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert len([*broken_rules(tmp_path)]) == 1


def broken_rules(root: Path) -> Iterator[str]:
    """One line a violation."""
    for folder in ("shared", "functions", "containers"):
        for file in sorted((root / folder).rglob("*.py")):
            yield from broken_in_file(root, file)


def broken_in_file(root: Path, file: Path) -> Iterator[str]:
    """What one file does that its place forbids."""
    text, name = file.read_text(), file.relative_to(root)
    module = ".".join(name.with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(text)
    lines = len(text.splitlines())
    if file.name == "main.py" and lines > MAIN_LINES:
        yield f"{name}: {lines} lines, a stage's shell is at most {MAIN_LINES}"
    if module != "shared" and rule_of(module) is None:
        yield f"{name}: no rule says what it may import"
        return
    for node in ast.walk(tree):
        for imported in imports_of(node):
            problem = import_problem(module, imported)
            if problem:
                yield f"{name}:{getattr(node, 'lineno', 0)}: {problem}"
        if reads_environment(node) and module != "shared.config":
            yield f"{name}:{getattr(node, 'lineno', 0)}: only config.py reads the environment"
        if catches_everything(node) and module != "shared.handler":
            yield f"{name}:{getattr(node, 'lineno', 0)}: only handler.py catches everything"


def rule_of(module: str) -> tuple[str, tuple[str, ...], list[str]] | None:
    """The first rule whose place holds the module."""
    return next((rule for rule in RULES if within(module, rule[0])), None)


def within(module: str, place: str) -> bool:
    """Whether a module is the place or below it."""
    return module == place or module.startswith(place + ".")


def imports_of(node: ast.AST) -> list[str]:
    """The modules that a node imports; `from shared import x` counts as shared.x."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        port = within(base, "shared.adapters") and base.count(".") <= 2
        if node.level or port or base in ("shared", "shared.domain", "google", "google.cloud"):
            return [f"{base}.{alias.name}" for alias in node.names]
        return [base]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        return [ast.unparse(node.args[0]).strip("f'\"")]
    return []


def import_problem(module: str, imported: str) -> str | None:
    """Why a module may not import another; None when it may."""
    rule = rule_of(module)
    if rule is None:
        return None
    place, ours, forbidden = rule
    if root_of(imported) in ("shared", "functions", "containers", "scripts", "tests"):
        allowed = any(within(imported, other) for other in ours) or own_part(module, imported)
        return None if allowed else f"{place} must not import {imported}"
    if root_of(imported) in sys.stdlib_module_names:
        return None
    hit = next((vendor for vendor in forbidden if within(imported, vendor)), None)
    return f"{place} must not import {hit}" if hit else None


def root_of(module: str) -> str:
    """The top package of a module."""
    return module.partition(".")[0]


def own_part(module: str, imported: str) -> bool:
    """An adapter may use the pure rules of its port and those of all, and no other adapter."""
    if not within(module, "shared.adapters"):
        return False
    port = ".".join(module.split(".")[:3])
    return imported == f"{port}.rules" or within(imported, "shared.adapters.rules")


def reads_environment(node: ast.AST) -> bool:
    """os.environ, os.getenv, or either imported by name."""
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in ("environ", "getenv", "environb") for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in (
        "os.environ",
        "os.getenv",
        "os.environb",
    )


def catches_everything(node: ast.AST) -> bool:
    """A bare except, or one that names Exception or BaseException."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    if node.type is None:
        return True
    types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(ast.unparse(one) in ("Exception", "BaseException") for one in types)
