"""Pages that are broken when they are served: a change of the text, never of the file."""

from typing import Final

ROW: Final = "js/task_row.js"
HONEST_LINE: Final = "badge.dataset.status = status;"
STALE_LINE: Final = "if (badge.dataset.status) return true; badge.dataset.status = status;"


def stale_badge(path: str, text: str) -> str:
    """Serve the task row so that a badge keeps the first status it was given.

    Raises ValueError when the line to break is gone: a mutant that breaks nothing would prove nothing.
    """
    if path != ROW:
        return text
    if HONEST_LINE not in text:
        raise ValueError(f"{ROW} has no line {HONEST_LINE!r}; name the line that updates the badge in mutants/pages.py")
    return text.replace(HONEST_LINE, STALE_LINE)
