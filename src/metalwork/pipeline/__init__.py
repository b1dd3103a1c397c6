"""Data in, labels, model and report out: the steps of a run, and the project file that describes one."""

from metalwork.pipeline._folder import STEPS, RunFolder, new_run
from metalwork.pipeline._job import SPLITS, Job, Split
from metalwork.pipeline._project import Project, load_project
from metalwork.pipeline._settings import EndModelSettings, FeatureSettings, LabelModelSettings, OutputSettings
from metalwork.pipeline._steps import apply, evaluate, fit, report, run, train
from metalwork.pipeline._summary import RunSummary, summarise

__all__ = [
    "SPLITS",
    "STEPS",
    "EndModelSettings",
    "FeatureSettings",
    "Job",
    "LabelModelSettings",
    "OutputSettings",
    "Project",
    "RunFolder",
    "RunSummary",
    "Split",
    "apply",
    "evaluate",
    "fit",
    "load_project",
    "new_run",
    "report",
    "run",
    "summarise",
    "train",
]
