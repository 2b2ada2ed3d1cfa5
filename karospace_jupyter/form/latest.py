"""Work in a thread that only the newest request matters to."""

from __future__ import annotations

import contextvars
import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Latest:
    """Runs work in a thread, again when it was asked for meanwhile; never twice at the same time, none at first."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work, self._name = work, name
        self._lock = threading.Lock()
        self._asked = self._running = False
        self._stopped = True

    def begin(self) -> None:
        """From now on, work when asked."""
        self._stopped = False

    def ask(self) -> None:
        """Work, once more if it is going on already."""
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
        """Work no more; what runs ends by itself."""
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
