"""The kernel of the notebook that this process runs, if it runs one."""

from __future__ import annotations

import sys
from typing import Any


def running_kernel() -> Any:  # noqa: ANN401 - each kind of kernel has a class of its own
    """Return the kernel whose cells run in this process; None in scripts and terminals.

    An imported ipykernel is no sign of a kernel: programs that talk to kernels import it, too. IPython is not imported
    here, since a kernel has imported it before its first cell.
    """
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)
