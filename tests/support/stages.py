"""A stage's work without the handler around it, loaded as functions-framework loads it."""

import importlib.util
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from scripts.stages import ROOT


def load_main(name: str, folder: str = "functions") -> ModuleType:
    """A stage's (or a job's) main.py as a module of its own."""
    file = ROOT / folder / name / "main.py"
    spec = importlib.util.spec_from_file_location(f"main_{folder}_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def work_of(name: str, folder: str = "functions") -> Callable[..., Any]:
    """The function that the author of the stage or job wrote: `(event, app) -> event`."""
    work: Callable[..., Any] = inspect.unwrap(getattr(load_main(name, folder), name))
    return work
