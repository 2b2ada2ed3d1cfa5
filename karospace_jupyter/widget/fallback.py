"""Static output for places where widgets cannot run, and the inline viewer, which needs no widget."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from karospace_jupyter.errors import BundleError, ImageError
from karospace_jupyter.plan.images.opening import MAX_SHOWN_PIXELS, open_picture
from karospace_jupyter.publish.write import html_bytes

if TYPE_CHECKING:
    from karospace_jupyter.publish.bundle import Bundle

_WIDTH = 640


def fallback_picture(bundle: Bundle) -> str:
    """Return the preview as a small data URL; empty if the bundle has none."""
    path = bundle.manifest.preview_path
    if not path:
        return ""
    out = io.BytesIO()
    try:
        with open_picture(bundle.stored(path), path, max_pixels=MAX_SHOWN_PIXELS) as picture:
            picture.thumbnail((_WIDTH, _WIDTH))
            picture.save(out, "WEBP", quality=80)
    except (BundleError, ImageError):
        return ""  # the preview is optional
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def fallback_html(bundle: Bundle, *, title: str, contents: str, picture: str) -> str:
    """Return the preview image and a sentence on how to open the viewer.

    `contents` states the numbers of cells and genes, such as "3,000 cells × 60 genes".
    """
    name = html.escape(title)
    image = f'<img src="{picture}" alt="{name}" style="max-width:100%;border-radius:8px">' if picture else ""
    where = (
        "Run this cell again to open the viewer."
        if bundle.path is None
        else f"To open the viewer, run this cell again, or open <code>{html.escape(str(bundle.path))}</code>."
    )
    return (
        f'<div style="font:13px/18px system-ui,sans-serif">{image}<p><b>{name}</b> · {html.escape(contents)}. '
        f"This is a preview of the viewer, which needs a running notebook. {where}</p>"
        "</div>"
    )


class InlineView:
    """The viewer with all of its data in the output of a cell."""

    def __init__(self, bundle: Bundle, height: int) -> None:
        self.bundle, self.height = bundle, height

    def _repr_html_(self) -> str:
        page = html_bytes(self.bundle.files, self.bundle.manifest).decode()
        return (
            f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts allow-downloads" '
            f'allow="fullscreen; clipboard-write" title="{html.escape(self.bundle.manifest.dataset_name)}" '
            f'style="width:100%;height:{self.height}px;border:0;border-radius:10px"></iframe>'
        )

    def __repr__(self) -> str:
        return f"InlineView({self.bundle!r})"
