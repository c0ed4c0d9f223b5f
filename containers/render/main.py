"""The job render: one variation becomes a file, is checked, and mended where that can be done."""

import sys

from shared.app import App
from shared.events import VariationChosen, VariationRendered
from shared.handler import job
from shared.renditions import render_and_keep


@job
def render(chosen: VariationChosen, app: App) -> VariationRendered:
    """Cut, render, check, and keep everything create-once."""
    return render_and_keep(chosen, app)


if __name__ == "__main__":
    sys.exit(render())
