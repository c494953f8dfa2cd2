"""Pages, and parts of pages, that are made from the code, so that they say what it does.

`make docs` writes them anew. Each module names its page, `PAGE`, and what it should be, `page()`.
"""

from tests.documents import command_line, errors, metrics, operations

PAGES = (command_line, errors, metrics, operations)
