"""Changes to what the user wrote: a project file, and the labels of its dev records."""

from metalwork._public import offer
from metalwork.editing._dev_file import DevFile, Labelled
from metalwork.editing._project_editor import ProjectEditor

__all__ = [
    "DevFile",
    "Labelled",
    "ProjectEditor",
]

offer(__name__, globals())
