"""Write the generated contracts: ``python -m karospace_jupyter.contracts``."""

from karospace_jupyter.contracts.generate import write

write()
