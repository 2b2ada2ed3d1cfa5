"""Answer the requests of the panel, on the kernel's main thread, between cells.

Long work runs on another thread: the answer is a ticket, and :class:`AskAgain` later gets the result.
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
from karospace_jupyter.contracts.panel import (
    AskAgain,
    Delete,
    Done,
    IsKnown,
    Known,
    Made,
    NewView,
    OpenFile,
    OpenForm,
    PanelAnswer,
    PanelRequest,
    Ticket,
    Verified,
    Verify,
    ViewOf,
)
from karospace_jupyter.errors import SinkError, SourceError, ViewError
from karospace_jupyter.paths import expanded
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.targets import check_folder, foreign_entries
from karospace_jupyter.widget.export_form import KaroSpaceWidget
from karospace_jupyter.widget.show import karospace_view
from karospace_jupyter.widget.view import KaroSpaceView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import JsonValue


def answer_to(request: PanelRequest) -> PanelAnswer:
    """Do what a request asks for, and return the answer.

    Raises
    ------
    KaroSpaceError
        If it fails; the message says what to do.
    """
    match request:
        case OpenForm(where=where, options=options):
            return _form(where, options)
        case OpenFile(path=path, options=options):
            return _form_of(expanded(path).absolute(), Path(path).stem, options)
        case NewView(where=where):
            return _new_view(where)
        case ViewOf(path=path):
            return Made(model=KaroSpaceView(Bundle(path)).model_id)
        case IsKnown(model=model):
            return _known(model)
        case Verify(path=path):
            return _verify(path)
        case Delete(path=path):
            return _delete(path)
        case AskAgain(ticket=ticket):
            return _result(ticket)


def _form(where: Sequence[str], options: Mapping[str, JsonValue]) -> Made:
    adata = _find(where)
    return _form_of(adata, " ".join(where), options, lambda: "" if _is_current(where, adata) else " ".join(where))


def _new_view(where: Sequence[str]) -> Ticket:
    adata = _find(where)

    def work() -> Made:
        view = karospace_view(adata)
        assert isinstance(view, KaroSpaceView)  # noqa: S101 - only inline=True returns another type
        return Made(model=view.model_id)

    return _in_thread(work)


def _known(model: str) -> Known:
    from ipywidgets.widgets.widget import _instances

    return Known(known=model in _instances)


def _verify(path: str) -> Ticket:
    def work() -> Verified:
        bundle = Bundle(path)
        bundle.verify()
        return Verified(files=len(bundle.manifest.asset_files) + 2)

    return _in_thread(work)


def _result(ticket: str) -> PanelAnswer:
    """Return the result of long work, or its ticket while it is running."""
    future = _WORK[ticket]
    if not future.done():
        return Ticket(ticket=ticket)
    del _WORK[ticket]
    return future.result()


def _delete(path: str) -> Done:
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
    return Done()


_WORK: dict[str, Future[PanelAnswer]] = {}


def _in_thread(work: Callable[[], PanelAnswer]) -> Ticket:
    """Run `work` on another thread, so that cells keep running, and return a ticket for the result."""
    future: Future[PanelAnswer] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as exc:  # noqa: BLE001 - raised again in `answer`
            future.set_exception(exc)

    ticket = uuid.uuid4().hex
    _WORK[ticket] = future
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="karospace-panel", daemon=True).start()
    return Ticket(ticket=ticket)


def _is_current(where: Sequence[str], adata: Any) -> bool:  # noqa: ANN401 - imported late
    try:
        return _find(where) is adata
    except (SourceError, ViewError):
        return False


def _form_of(
    subject: Any,  # noqa: ANN401 - a path, or an AnnData, which is imported late
    name: str,
    options: Mapping[str, JsonValue],
    reassigned: Callable[[], str] = lambda: "",
) -> Made:
    place = str(options.get("outdir") or "{name}_karospace")
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._") or "tissue"
    outdir = place.replace("{name}", plain)
    config = ExportConfig(**{"dataset_name": name, **options, "outdir": outdir})
    widget = KaroSpaceWidget(subject, config, place="panel", reassigned=reassigned)
    return Made(model=widget.model_id)


def _find(where: Sequence[str]) -> Any:  # noqa: ANN401
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
        msg = f"{label} is no longer an AnnData object, but of type {type(value).__name__}. Refresh the list."
        raise ViewError(msg)
    return value
