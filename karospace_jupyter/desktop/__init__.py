"""The desktop app: a window that turns an AnnData file into a viewer, for people who do not program.

The window lives in one process and everything that computes in another (`worker`): whatever the engine does, the
window answers. They speak in plain values over a pipe.
"""
