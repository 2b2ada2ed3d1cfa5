"""The desktop app: a window that exports an AnnData file as a viewer, for people who do not program.

The window runs in one process and all computation in another (`worker`), so that the window always responds. The two
exchange plain values over a pipe.
"""
