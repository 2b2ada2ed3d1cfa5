"""The panel's requests, one function each. They run in the kernel's main thread, between cells.

What may take long goes on in a thread and answers with a ticket; ``answer`` says later what came of it.
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

from karospace_jupyter.bundle.read import Bundle
from karospace_jupyter.bundle.targets import check_folder, foreign_entries
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import SinkError, SourceError, ViewError
from karospace_jupyter.paths import expanded
from karospace_jupyter.widget.form import KaroSpaceWidget
from karospace_jupyter.widget.show import karospace_view
from karospace_jupyter.widget.view import KaroSpaceView

if TYPE_CHECKING:
    from collections.abc import Callable


def form(where: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """Make the form of an object.

    Parameters
    ----------
    where
        The variable's name; for an object inside of another (MuData, SpatialData) its key, too.
    options
        First values of the form. ``{name}`` in ``outdir`` stands for the object.

    Raises
    ------
    SourceError
        When there is no such object any more.
    """
    adata = _find(where)
    return _form_of(adata, " ".join(where), options, lambda: _still(where, adata))


def file(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Make the form of an ``.h5ad`` file or a zarr folder, which is not read into memory.

    Raises
    ------
    SourceError
        When it cannot be opened.
    """
    return _form_of(expanded(path).absolute(), Path(path).stem, options)


def new_view(where: list[str]) -> dict[str, Any]:
    """Show an object without an export to disk; every gene of it is at hand."""
    adata = _find(where)

    def work() -> dict[str, Any]:
        view = karospace_view(adata)
        assert isinstance(view, KaroSpaceView)  # noqa: S101 - only inline=True gives something else
        return {"model": view.model_id, "title": " ".join(where)}

    return _aside(work)


def view_of(path: str) -> dict[str, Any]:
    """Show a bundle on disk through the kernel, where the page cannot read it by itself."""
    view = KaroSpaceView(Bundle(path))
    return {"model": view.model_id, "title": view.bundle.manifest.dataset_name}


def known(model: str) -> dict[str, Any]:
    """Say whether a widget is still there, after the page was loaded again."""
    from ipywidgets.widgets.widget import _instances

    return {"known": model in _instances}


def verify(path: str) -> dict[str, Any]:
    """Check every file of a bundle.

    Raises
    ------
    BundleError
        With the first file that is not as the manifest says.
    """

    def work() -> dict[str, Any]:
        bundle = Bundle(path)
        bundle.verify()
        return {"files": len(bundle.manifest.asset_files) + 2}

    return _aside(work)


def answer(ticket: str) -> dict[str, Any]:
    """Say what came of long work; while it goes on, only its ticket again."""
    future = _WORK[ticket]
    if not future.done():
        return {"ticket": ticket}
    del _WORK[ticket]
    return future.result()


def delete(path: str) -> dict[str, Any]:
    """Delete a bundle's folder, and nothing that is not one.

    Raises
    ------
    SinkError
        When the folder is not a bundle, or holds anything else.
    """
    folder = Path(path)
    if not (folder / "manifest.json").is_file():
        msg = f"{folder} is not a bundle any more: it has no manifest.json. Nothing was deleted."
        raise SinkError(msg)
    check_folder(folder)
    foreign = foreign_entries(folder)
    if foreign:
        msg = f"{folder} holds {foreign[0]!r}, which is no part of the bundle. Move it away first. Nothing was deleted."
        raise SinkError(msg)
    shutil.rmtree(folder)
    return {}


PUBLIC: dict[str, Callable[..., dict[str, Any]]] = {
    one.__name__: one for one in (form, file, new_view, view_of, known, verify, answer, delete)
}


_WORK: dict[str, Future[dict[str, Any]]] = {}


def _aside(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `work` in a thread, so that cells go on, and return the ticket for its answer."""
    future: Future[dict[str, Any]] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as exc:  # noqa: BLE001 - raised again for whoever asks
            future.set_exception(exc)

    ticket = uuid.uuid4().hex
    _WORK[ticket] = future
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="karospace-panel", daemon=True).start()
    return {"ticket": ticket}


def _still(where: list[str], adata: Any) -> bool:  # noqa: ANN401 - imported late
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
    """Return the object that a listing named."""
    from IPython import get_ipython

    name, *keys = where
    label = name + "".join(f"[{key!r}]" for key in keys)
    variables = getattr(get_ipython(), "user_ns", {})
    try:
        value = variables[name]
        for key in keys:
            value = (value.mod if hasattr(value, "mod") else value.tables)[key]
    except (KeyError, AttributeError):
        msg = f"There is no {label} in this kernel any more. Refresh the list, or run the cell that makes it."
        raise SourceError(msg) from None
    if not all(hasattr(value, part) for part in ("obs", "var", "obsm", "n_obs")):
        msg = f"{label} is a {type(value).__name__} now, not an AnnData object. Refresh the list."
        raise ViewError(msg)
    return value
