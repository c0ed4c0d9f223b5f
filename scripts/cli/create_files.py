"""What `gv create --render N` adds: the best N as files, and a page to compare them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.cli.full import understand
from scripts.local.page import BOARD
from shared.app import App
from shared.boards import board_of, card_of
from shared.creative_models import Variation, VariationPlan
from shared.domain.creative.footage import Footage, footage_of
from shared.domain.creative.making import make_rendition
from shared.domain.patterns.clips import Ad, build_clips
from shared.errors import PipelineError
from shared.rendition_models import Rendition

NO_DATA = '<script type="application/json" id="data">null</script>'
SOURCE = "footage"
Told = Callable[[float, str], None]


@dataclass(frozen=True)
class Made:
    """One variation's folder, and the rendition in it or the reason why there is none."""

    variation: Variation
    folder: Path
    outcome: Rendition | PipelineError


def see_footage(video: Path, transcript: Path | None, app: App) -> Footage:
    """Everything that is known of a video of this machine; raises PipelineError."""
    analysis, inference = understand(video, transcript)
    ad = Ad(tenant_id=app.tenant_id, name=video.name, made_at=app.now())
    clips = build_clips(analysis, ad, inference)
    return footage_of(SOURCE, f"videos/{analysis.video_id}/source", analysis, inference, clips)


def make_all(
    plan: VariationPlan,
    variations: Sequence[Variation],
    material: tuple[Sequence[Footage], Mapping[str, Path]],
    folder: Path,
    app: App,
    tell: Callable[[Variation], Told],
) -> list[Made]:
    """Render each variation into a folder of its own; what fails does not stop the others."""
    footage, files = material
    made = []
    for variation in variations:
        place = folder / f"{variation.render_priority:02d}-variation-{variation.variation_number}"
        place.mkdir(parents=True, exist_ok=True)
        try:
            rendition = make_rendition(
                variation,
                plan.concept,
                footage,
                files,
                place,
                limits=app.limits,
                tools=app.tools,
                on_progress=tell(variation),
            )
        except PipelineError as problem:
            made.append(Made(variation, place, problem))
            continue
        timeline = rendition.timeline.model_dump_json(indent=1)
        (place / "timeline.json").write_text(timeline, encoding="utf-8")
        checks = [check.model_dump(mode="json") for check in rendition.compliance]
        (place / "compliance.json").write_text(
            json.dumps(checks, indent=1, ensure_ascii=False), encoding="utf-8"
        )
        made.append(Made(variation, place, rendition))
        write_page(plan, made, folder)
    write_page(plan, made, folder)
    return made


def write_page(plan: VariationPlan, made: Sequence[Made], folder: Path) -> Path:
    """`index.html` with everything in it but the films, which lie beside it."""
    board = board_of(plan, [_card(one, folder) for one in made])
    data = json.dumps(board, ensure_ascii=False)
    # No text of the board can end the element that holds it.
    safe = re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", data)
    page = BOARD.read_text(encoding="utf-8")
    assert NO_DATA in page
    path = folder / "index.html"
    path.write_text(page.replace(NO_DATA, NO_DATA.replace("null", safe)), encoding="utf-8")
    (folder / "plan.json").write_text(plan.model_dump_json(indent=1), encoding="utf-8")
    return path


def _card(one: Made, folder: Path) -> dict[str, Any]:
    if isinstance(one.outcome, PipelineError):
        card = card_of(one.variation, None)
        return {**card, "state": "failed", "reason": str(one.outcome)}
    card = card_of(one.variation, one.outcome)
    made, place = one.outcome.rendered, one.folder.relative_to(folder).as_posix()
    return {
        **card,
        "video": f"{place}/{made.video}",
        "preview": f"{place}/{made.preview}" if made.preview else None,
        "thumbnail": f"{place}/{made.thumbnail}",
        "timeline": f"{place}/timeline.json",
    }
