"""Run only the most recently requested work on a background thread."""

from __future__ import annotations

import contextvars
import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Latest:
    """Coalesce requests onto one background thread; idle until :meth:`begin`."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work, self._name = work, name
        self._lock = threading.Lock()
        self._asked = self._running = False
        self._stopped = True

    def begin(self) -> None:
        """Start accepting requests."""
        self._stopped = False

    def ask(self) -> None:
        """Request a run; if one is in progress, run once more afterward."""
        with self._lock:
            if self._stopped:
                return
            self._asked = True
            if self._running:
                return
            self._running = True
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Stop accepting requests; a run in progress is completed."""
        with self._lock:
            self._stopped = True

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._asked or self._stopped:
                    self._running = False
                    return
                self._asked = False
            try:
                self._work()
            except Exception:
                logger.exception("work in the thread %s failed", self._name)
