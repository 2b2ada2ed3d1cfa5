"""The desktop app: a window that exports an AnnData file as a viewer, for people who do not program.

The window runs in one process and all computation in another one (`worker`), so that the window always responds. They
exchange plain values over a pipe.
"""
