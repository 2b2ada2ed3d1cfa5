"""The export form for notebook cells."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_args

import traitlets

from karospace_jupyter.contracts.form import Estimate, Status
from karospace_jupyter.contracts.messages import (
    Cancel,
    Canceling,
    ChangeOptions,
    Close,
    CompleteGene,
    Download,
    Hits,
    MakeView,
    Noted,
    Start,
    Started,
    Viewed,
)
from karospace_jupyter.contracts.output import MIME_TYPE, Output, Tissue
from karospace_jupyter.errors import ConfigError, KaroSpaceError, SourceError, ViewError
from karospace_jupyter.form.latest import Latest
from karospace_jupyter.form.options import code_of, config_of, plain, with_name
from karospace_jupyter.form.prediction import complete, predict_export, problem_of
from karospace_jupyter.form.result import result_of
from karospace_jupyter.form.summary import gene_names, quick_summary, summarize
from karospace_jupyter.kernel import after_each_cell, reassigned, variables_of
from karospace_jupyter.session import ExportSession
from karospace_jupyter.source import check_object
from karospace_jupyter.widget import cells_rerun
from karospace_jupyter.widget.base import Base
from karospace_jupyter.widget.channel import Channel
from karospace_jupyter.widget.output import kept_of, with_fallback
from karospace_jupyter.widget.threads import WidgetMaker
from karospace_jupyter.widget.view import KaroSpaceView
from karospace_jupyter.widget.waiting import wait_for

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.contracts.form import SessionState
    from karospace_jupyter.contracts.options import ExportOptions
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget.channel import Buffers

logger = logging.getLogger(__name__)


class KaroSpaceWidget(Base):
    """A form that exports an AnnData object or file, and shows the result below.

    Attributes
    ----------
    status : str
        ``idle``, ``running``, ``done``, ``failed`` or ``cancelled``.
    stage : str
        The current step, for example "Writing genes".
    progress : float
        Completed fraction of the export, from 0 to 1.
    message : str
        One line for display.
    eta_s : float or None
        Seconds left; None while unknown.
    error : str or None
        Why the export failed, and what to do; None if it did not.
    options : dict
        The options of :class:`~karospace_jupyter.ExportConfig`; setting some of them keeps the others.
    manifest : dict or None
        The manifest of the last bundle; None before the first export.
    bundle_path : str
        The path of the bundle; empty for a bundle in memory.
    log : list of str
        The log of the export, one entry per line.

    Raises
    ------
    KaroSpaceError
        If the object is not an AnnData object, or an option is invalid.
    """

    _kind = traitlets.Unicode("form").tag(sync=True)
    # In the panel the viewer opens in a separate tab, once for each export.
    _place = traitlets.Enum(["cell", "panel"], "cell").tag(sync=True)
    _channel = traitlets.Unicode().tag(sync=True)
    _view = traitlets.Unicode().tag(sync=True)
    _summary = traitlets.Dict().tag(sync=True)
    _estimate = traitlets.Dict(asdict(Estimate())).tag(sync=True)
    _result = traitlets.Dict(None, allow_none=True).tag(sync=True)
    # Data by MIME type, which the page puts into the output of the cell: that was made before the export.
    _kept = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    # Name of the variable that held the object of this form, if it now refers to a different object.
    _other = traitlets.Unicode().tag(sync=True)

    status = traitlets.Enum(get_args(Status), "idle").tag(sync=True)
    stage = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(0.0).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    eta_s = traitlets.Float(None, allow_none=True).tag(sync=True)
    error = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    manifest = traitlets.Dict(None, allow_none=True)
    bundle_path = traitlets.Unicode().tag(sync=True)
    log = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        subject: Any,  # noqa: ANN401 - a Path, or an AnnData, which is imported late
        config: ExportConfig,
        *,
        place: str = "cell",
        reassigned: Callable[[], str] = lambda: "",
    ) -> None:
        self._subject = subject
        self._gene_names: dict[bool, list[str]] = {}
        self._reassigned = reassigned
        """Return the name of the variable of `subject` that now refers to a different object; empty if none does."""
        self._base = config
        self._session = ExportSession(self._on_session)
        self._shown_view: KaroSpaceView | None = None
        self._closed = False
        # `close` also runs when the constructor fails below.
        self._end_checks: Callable[[], None] = lambda: None
        self._exported = config
        self._revision = 0
        self._exports = 0
        self._wire = Channel()
        self._maker = WidgetMaker()
        self._estimator = Latest(self._make_estimate, "karospace-estimate")
        self._wire.route(Start, self._on_start)
        self._wire.route(Cancel, self._on_cancel)
        self._wire.route(ChangeOptions, self._on_options)
        self._wire.route(CompleteGene, self._on_genes)
        self._wire.route(Download, self._on_download)
        self._wire.route(MakeView, self._on_view)
        self._wire.route(Close, lambda *_: self.close())
        self._known = quick_summary(subject)
        super().__init__(
            _channel=f"IPY_MODEL_{self._wire.model_id}",
            _place=place,
            _summary=asdict(self._known),
            options=plain(config),
        )
        cells_rerun.remember(self)
        self._end_checks = after_each_cell(self._check_variable)
        # Start only now: traits that a thread sets before the comm is open do not reach the page.
        self._estimator.begin()
        self._estimator.ask()

    # Python API

    def start(self) -> None:
        """Start the export with the current options and return immediately.

        Raises
        ------
        SessionBusyError
            If this widget is already exporting.
        ConfigError
            If an option is invalid.
        ViewError
            If this widget was closed.
        """
        if self._closed:
            msg = "This widget was closed. Create a new one."
            raise ViewError(msg)
        config = config_of({**self.options, "storage_options": self._base.storage_options})
        self._session.start(self._subject, config)
        self._exported = config

    def cancel(self) -> None:
        """Cancel the running export; an existing bundle stays unchanged."""
        self._session.cancel()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until no export is running, at most `timeout` seconds, and return the status.

        In a cell, progress and buttons keep working while it waits.
        """
        wait_for(lambda: not self._session.running, timeout)
        return self._session.state.status

    @property
    def bundle(self) -> Bundle | None:
        """The bundle of the last completed export; None before that."""
        return self._session.bundle

    @property
    def view(self) -> KaroSpaceView | None:
        """The viewer below the form; None before the first export."""
        return self._shown_view

    def code(self) -> str:
        """Return the Python code and the shell command that repeat this export."""
        file = self._subject if isinstance(self._subject, Path) else getattr(self._subject, "filename", None)
        return code_of(config_of(self.options), name=_name_of(self._subject), file=None if file is None else str(file))

    def close(self) -> None:
        """Cancel a running export and close the form, its viewer and their comms."""
        if self._closed:
            return
        self._closed = True
        self._session.cancel()
        self._estimator.stop()
        self._end_checks()
        if self._shown_view is not None:
            self._shown_view.close()
        self._wire.close()
        super().close()

    @traitlets.validate("options")
    def _valid_options(self, proposal: dict[str, Any]) -> dict[str, Any]:
        known = plain(self._base)
        unknown = [name for name in proposal["value"] if name not in known]
        if unknown:
            msg = f"Unknown option {unknown[0]!r}. The options are: {', '.join(sorted(known))}."
            raise ConfigError(msg)
        return {**known, **self.options, **proposal["value"]}

    @traitlets.observe("options")
    def _options_changed(self, _: dict[str, Any]) -> None:
        self._estimator.ask()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        return with_fallback(super()._repr_mimebundle_(**kwargs), *self._output())

    def _output(self) -> tuple[Output, str]:
        """Return what the output of the cell stores, and its HTML."""
        tissues: tuple[Tissue, ...] = ()
        height = 470
        html = "<p>The KaroSpace export form needs a running notebook. Run this cell again.</p>"
        if self._shown_view is not None:
            tissue, html = kept_of(self._shown_view)
            tissues, height = (tissue,), self._shown_view.height
        title = str(self.options["dataset_name"] or "")
        output = Output(kind="form", model=self.model_id, title=title, height=height, columns=1, tissues=tissues)
        return output, html

    # Messages from the page

    def _on_start(self, message: Start, _: Buffers) -> None:
        self._take_options(message)
        try:
            if self._place == "panel" and self._reassigned():
                msg = "The variable no longer refers to the object that this form exports. Go back and select it again."
                raise ViewError(msg)
            self.start()
        except KaroSpaceError as exc:
            self.error = str(exc)
        self._wire.send(Started(id=message.id))

    def _check_variable(self) -> None:
        self._other = self._reassigned()

    def _on_cancel(self, message: Cancel, _: Buffers) -> None:
        self.cancel()
        self._wire.send(Canceling(id=message.id))

    def _on_options(self, message: ChangeOptions, _: Buffers) -> None:
        self._take_options(message)
        self._wire.send(Noted(id=message.id))

    def _take_options(self, message: Start | ChangeOptions) -> None:
        self.options = {key: value for key, value in message.options.items() if key in self.options}
        # Set after the options, so that an estimate is never attributed to a newer revision than its options.
        self._revision = max(self._revision, message.revision)
        self._estimator.ask()  # the page waits for this revision even if nothing changed

    def _on_view(self, message: MakeView, _: Buffers) -> None:
        """Create a viewer of the last export that stays open when this form closes."""
        bundle = self.bundle
        if bundle is None:
            msg = "There is no bundle yet. Export first."
            raise ViewError(msg)
        view = self._view_of(bundle, None)
        self._wire.send(Viewed(id=message.id, model=view.model_id))

    def _on_genes(self, message: CompleteGene, _: Buffers) -> None:
        """Send suggestions for a partial gene name."""
        self._wire.send(Hits(id=message.id, genes=complete(self._names(), message.query)))

    def _names(self) -> Iterable[str]:
        """Return the gene names; those of a file are read only once."""
        if isinstance(self._subject, Path):
            raw = bool(self.options.get("raw"))
            if raw not in self._gene_names:
                self._gene_names[raw] = gene_names(self._subject, raw=raw)
            return self._gene_names[raw]
        raw_table = getattr(self._subject, "raw", None) if self.options.get("raw") else None
        return map(str, (self._subject if raw_table is None else raw_table).var_names)

    def _on_download(self, message: Download, _: Buffers) -> None:
        """Pack the bundle into one file and send it to the page."""
        bundle = self.bundle
        if bundle is None:
            msg = "There is no bundle yet. Export first."
            raise ViewError(msg)
        self._wire.aside(message, lambda: _packed(bundle, as_zip=message.kind == "zip"))

    # Called on background threads

    def _on_session(self, state: SessionState) -> None:
        error = state.error
        if state.status == "done" and not self._closed:
            try:
                self._maker.run(self._show)
            except Exception as exc:
                logger.exception("the viewer could not be created")
                error = f"The export succeeded, but its viewer could not be created: {exc}"
        # Set traits one by one, status last: hold_sync() of ipywidgets applies to the widget, not to the thread, and
        # drops values that another thread sets in the meantime.
        self.stage, self.progress, self.message = state.stage, state.progress, state.message
        self.eta_s, self.error, self.log = state.eta_s, error, list(state.log)
        self.status = state.status
        if state.status == "done":
            self._estimator.ask()  # the target folder has changed

    def _show(self) -> None:
        bundle = self._session.bundle
        assert bundle is not None  # noqa: S101 - the session is done
        old = self._shown_view
        view = self._view_of(bundle, self._wire) if self._place == "cell" else None
        if view is not None and old is not None:
            view.height = old.height
        if self._closed:
            if view is not None:
                view.close()
            return
        self._shown_view = view
        self._exports += 1
        result = result_of(bundle, number=self._exports)
        self.manifest = bundle.manifest.model_dump(mode="json", exclude_none=True)
        self.bundle_path = result.path
        self._result = asdict(result)
        if view is not None:
            self._view = f"IPY_MODEL_{view.model_id}"
            output, html = self._output()
            self._kept = {MIME_TYPE: asdict(output), "text/html": html}
        if old is not None:
            old.close()

    def _view_of(self, bundle: Bundle, channel: Channel | None) -> KaroSpaceView:
        config = self._exported
        try:
            return KaroSpaceView(bundle, adata=self._live(bundle), config=config, channel=channel)
        except ViewError as exc:
            # The object lost cells during the export: show the bundle without it.
            logger.info("%s", exc)
            return KaroSpaceView(bundle, config=config, channel=channel)

    def _live(self, bundle: Bundle) -> Any:  # noqa: ANN401
        """Return the object if it can provide more genes: it is in memory and has the cells of the bundle."""
        in_file = isinstance(self._subject, Path) or getattr(self._subject, "isbacked", False)
        return None if in_file or bundle.manifest.n_cells > self._subject.n_obs else self._subject

    def _make_estimate(self) -> None:
        """Update summary and estimate on a background thread; the form shows the result."""
        revision, options = self._revision, self.options
        try:
            if not self._summary["ready"]:
                self._known = summarize(self._subject)
                self._summary = asdict(self._known)
            found = predict_export(self._subject, options, self._known)
        except Exception as exc:  # noqa: BLE001 - shown in the form
            found = Estimate(problems=problem_of(exc, {}))
        if not self._closed:
            self._estimate = asdict(replace(found, revision=revision))


def karospace_widget(
    adata: Any,  # noqa: ANN401 - anndata is imported late
    outdir: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    **options: Unpack[ExportOptions],
) -> KaroSpaceWidget:
    """Show a form that exports `adata`, with the viewer below it.

    Parameters
    ----------
    adata
        The AnnData object; it is never modified.
    outdir
        The folder or URL to write; ``karospace_bundle`` by default. With an empty string the bundle stays in memory.
    name
        Name of the dataset, the same as the option `dataset_name`.
    **options
        Any option of :class:`~karospace_jupyter.ExportConfig`, as initial values of the form.

    Returns
    -------
    KaroSpaceWidget
        The form; a cell displays it if it is the last expression.

    Raises
    ------
    KaroSpaceError
        If `adata` is not an AnnData object, or an option is invalid.

    Examples
    --------
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> form = karospace_widget(synthetic_tissue(300, 60, seed=1), "tissue_viewer", genes_mode="hvgs:20")
    >>> form.status, form.options["genes_mode"]
    ('idle', 'hvgs:20')
    >>> form.close()
    """
    from karospace_jupyter.config import ExportConfig

    check_object(adata)
    if not all(hasattr(adata, name) for name in ("obs", "var", "obsm", "uns", "n_obs", "n_vars")):
        msg = (
            f"karospace_widget expects an AnnData object, but got a {type(adata).__name__}. "
            "Read a file first: anndata.read_h5ad(path)."
        )
        raise SourceError(msg)
    place = "karospace_bundle" if outdir is None else outdir if str(outdir) else None
    names = variables_of(adata)
    config = ExportConfig(outdir=place, **with_name(options, name))
    return KaroSpaceWidget(adata, config, reassigned=lambda: reassigned(adata, names))


def _packed(bundle: Bundle, *, as_zip: bool) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        if as_zip:
            return bundle.to_zip(Path(folder) / "bundle.zip").read_bytes()
        return bundle.to_html(Path(folder) / "bundle.html").read_bytes()


def _name_of(subject: Any) -> str:  # noqa: ANN401
    """Return the Python expression for the subject: a path, or the name of the variable that holds the object."""
    return repr(str(subject)) if isinstance(subject, Path) else (variables_of(subject) or ["adata"])[0]
