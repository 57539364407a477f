"""What ends a command that was broken off by hand."""


class Interrupted(Exception):  # noqa: N818
    """The run was broken off by hand; what there is has been written and shown."""
