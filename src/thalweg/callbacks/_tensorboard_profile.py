"""Some steps of a fit under JAX's profiler."""

from __future__ import annotations


class Profile:
    """Steps `first` to `last` of a fit, counted from 1, profiled; none where they are 0."""

    def __init__(self, folder: str, first: int, last: int) -> None:
        self.folder, self.first, self.last = folder, first, last
        self.running = False
        self.done = False

    def stops(self) -> tuple[int, ...]:
        """After how many steps of the fit there is something to do."""
        return (self.first - 1, self.last) if self.last and not self.done else ()

    def look(self, step: int) -> str | None:
        """Start or stop, where `step` steps are done; gives what went wrong."""
        if not self.last or self.done:
            return None
        if step >= self.last:
            self.stop()
            self.done = True
        elif step >= self.first - 1 and not self.running:
            return self._start()
        return None

    def _start(self) -> str | None:
        import jax

        try:
            jax.profiler.start_trace(self.folder)
        except RuntimeError as error:  # somebody else profiles: no reason to lose a fit
            self.done = True
            return f"TensorBoard: the profiler could not be started: {error}"
        self.running = True
        return None

    def stop(self) -> None:
        """Stop and write what was seen."""
        if self.running:
            import jax

            self.running = False
            jax.profiler.stop_trace()
