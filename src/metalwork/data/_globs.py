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
    found = _at_any_depth(root, rest) if "**" in rest else glob.glob(names, root_dir=root)
    return [root / name for name in sorted(found) if not (root / name).is_dir()]


def _at_any_depth(root: Path, pattern: list[str]) -> list[str]:
    """What ``**`` finds without following links to folders, which may lead in circles."""
    whole = "/".join([*pattern, "*"] if pattern[-1] == "**" else pattern)
    names = [path.relative_to(root) for path in root.glob(whole)]
    wants_hidden = any(part.startswith(".") for part in pattern)
    return [str(name) for name in names if wants_hidden or not any(part.startswith(".") for part in name.parts)]
