"""The programs by theme: each module has its `PROGRAMS`."""
