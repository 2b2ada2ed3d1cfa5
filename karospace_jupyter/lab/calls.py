"""Requests of the panel, one function each. They run on the kernel's main thread, between cells.

Long work runs on another thread: the request returns a ticket, and ``answer`` later returns the result.
"""

from __future__ import annotations

import contextvars
import re
import shutil
import threading
import uuid
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import SinkError, SourceError, ViewError
from karospace_jupyter.paths import expanded
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.targets import check_folder, foreign_entries
from karospace_jupyter.widget.export_form import KaroSpaceWidget
from karospace_jupyter.widget.show import karospace_view
from karospace_jupyter.widget.view import KaroSpaceView

if TYPE_CHECKING:
    from collections.abc import Callable


def form(where: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """Create the form of an object.

    Parameters
    ----------
    where
        The name of the variable; for an object inside another one (MuData, SpatialData), also its key.
    options
        Initial values of the form. ``{name}`` in ``outdir`` is replaced by the name of the object.

    Raises
    ------
    SourceError
        If the object no longer exists.
    """
    adata = _find(where)
    return _form_of(adata, " ".join(where), options, lambda: _is_current(where, adata))


def file(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Create the form of an ``.h5ad`` file or a zarr folder, which is not loaded into memory.

    Raises
    ------
    SourceError
        If it cannot be opened.
    """
    return _form_of(expanded(path).absolute(), Path(path).stem, options)


def new_view(where: list[str]) -> dict[str, Any]:
    """Show an object without exporting it to disk; all of its genes are available."""
    adata = _find(where)

    def work() -> dict[str, Any]:
        view = karospace_view(adata)
        assert isinstance(view, KaroSpaceView)  # noqa: S101 - only inline=True returns another type
        return {"model": view.model_id, "title": " ".join(where)}

    return _in_thread(work)


def view_of(path: str) -> dict[str, Any]:
    """Show a bundle on disk through the kernel, for pages that cannot read it directly."""
    view = KaroSpaceView(Bundle(path))
    return {"model": view.model_id, "title": view.bundle.manifest.dataset_name}


def known(model: str) -> dict[str, Any]:
    """Return whether a widget still exists, after the page was reloaded."""
    from ipywidgets.widgets.widget import _instances

    return {"known": model in _instances}


def verify(path: str) -> dict[str, Any]:
    """Check every file of a bundle.

    Raises
    ------
    BundleError
        Names the first file that does not match the manifest.
    """

    def work() -> dict[str, Any]:
        bundle = Bundle(path)
        bundle.verify()
        return {"files": len(bundle.manifest.asset_files) + 2}

    return _in_thread(work)


def answer(ticket: str) -> dict[str, Any]:
    """Return the result of long work, or its ticket while it is running."""
    future = _WORK[ticket]
    if not future.done():
        return {"ticket": ticket}
    del _WORK[ticket]
    return future.result()


def delete(path: str) -> dict[str, Any]:
    """Delete the folder of a bundle, and nothing else.

    Raises
    ------
    SinkError
        If the folder is not a bundle, or contains other files.
    """
    folder = Path(path)
    if not (folder / "manifest.json").is_file():
        msg = f"{folder} is not a bundle: it has no manifest.json. Nothing was deleted."
        raise SinkError(msg)
    check_folder(folder)
    foreign = foreign_entries(folder)
    if foreign:
        msg = (
            f"{folder} contains {foreign[0]!r}, which is not part of the bundle. "
            "Move it away first. Nothing was deleted."
        )
        raise SinkError(msg)
    shutil.rmtree(folder)
    return {}


PUBLIC: dict[str, Callable[..., dict[str, Any]]] = {
    one.__name__: one for one in (form, file, new_view, view_of, known, verify, answer, delete)
}


_WORK: dict[str, Future[dict[str, Any]]] = {}


def _in_thread(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `work` on another thread, so that cells keep running, and return a ticket for the result."""
    future: Future[dict[str, Any]] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as exc:  # noqa: BLE001 - raised again in `answer`
            future.set_exception(exc)

    ticket = uuid.uuid4().hex
    _WORK[ticket] = future
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="karospace-panel", daemon=True).start()
    return {"ticket": ticket}


def _is_current(where: list[str], adata: Any) -> bool:  # noqa: ANN401 - imported late
    try:
        return _find(where) is adata
    except (SourceError, ViewError):
        return False


def _form_of(
    subject: Any,  # noqa: ANN401 - a path, or an AnnData, which is imported late
    name: str,
    options: dict[str, Any],
    is_current: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    place = str(options.pop("outdir", "") or "{name}_karospace")
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._") or "tissue"
    config = ExportConfig(outdir=Path(place.replace("{name}", plain)), **{"dataset_name": name, **options})
    widget = KaroSpaceWidget(subject, config, place="panel", is_current=is_current)
    return {"model": widget.model_id}


def _find(where: list[str]) -> Any:  # noqa: ANN401
    """Return the object that an entry of the list refers to."""
    from IPython import get_ipython

    name, *keys = where
    label = name + "".join(f"[{key!r}]" for key in keys)
    variables = getattr(get_ipython(), "user_ns", {})
    try:
        value = variables[name]
        for key in keys:
            value = (value.mod if hasattr(value, "mod") else value.tables)[key]
    except (KeyError, AttributeError):
        msg = f"{label} no longer exists in this kernel. Refresh the list, or run the cell that creates it."
        raise SourceError(msg) from None
    if not all(hasattr(value, part) for part in ("obs", "var", "obsm", "n_obs")):
        msg = f"{label} is now a {type(value).__name__}, not an AnnData object. Refresh the list."
        raise ViewError(msg)
    return value
