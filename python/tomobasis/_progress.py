"""Who is told how far a call is."""

from ._errors import InputError


def reporter(progress):
    """What the native functions call as ``(stage, done, total)``; None where nobody wants to know."""
    if progress is None or progress is False:
        return None
    if progress is not True:
        if not callable(progress):
            raise InputError(f"progress is of the type {type(progress).__name__}: give a function, True or None")
        return progress
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bars(tqdm)


class _Bars:
    """One bar of tqdm for each stage."""

    def __init__(self, tqdm):
        self.tqdm, self.bar = tqdm, None

    def __call__(self, stage, done, total):
        if self.bar is None or self.bar.desc != stage:
            self.close()
            self.bar = self.tqdm(total=total, desc=stage)
        self.bar.update(done - self.bar.n)

    def close(self):
        if self.bar is not None:
            self.bar.close()


def close(report):
    """Ends what ``reporter`` made."""
    if isinstance(report, _Bars):
        report.close()
