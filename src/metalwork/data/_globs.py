"""Files by path or glob."""

import glob
import os
from pathlib import Path


def find_files(folder: str | os.PathLike[str], pattern: str | os.PathLike[str]) -> list[Path]:
    """The files that a path or glob names, in the order of their names; none where there are none.

    What exists as it is written is no glob: neither ``folder``, nor leading folders of ``pattern`` such as
    ``study [v2]``, nor the whole of it.

    Parameters
    ----------
    folder : path
        Where a relative ``pattern`` starts.
    pattern : path
        A file or folder, or a glob (``*``, ``?``, ``[...]``, and ``**`` for folders of any depth).
    """
    whole = Path(folder).expanduser() / Path(pattern).expanduser()
    if os.path.exists(whole):
        return [whole]
    root, rest = whole, list[str]()
    while not os.path.exists(root) and root.name:
        rest.insert(0, root.name)
        root = root.parent
    names = os.path.join(*rest) if rest else ""
    if not glob.has_magic(names):
        return []
    found = sorted(glob.glob(names, root_dir=root, recursive=True))
    return [root / name for name in found if not (root / name).is_dir()]
