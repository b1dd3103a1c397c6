"""Data in, labels, model and report out: the steps of a run, and the project file that describes one."""

from metalwork._public import offer
from metalwork.pipeline._check import check_job
from metalwork.pipeline._compare import Comparison, LFChange, ScoreChange, compare
from metalwork.pipeline._coverage import Coverage, LabelShares
from metalwork.pipeline._data import SPLITS
from metalwork.pipeline._draft import Sample, draft_rule, sample_records
from metalwork.pipeline._dry_run import dry_run
from metalwork.pipeline._events import Event, LFProgress, Progress, StepFinished, StepStarted, Warned
from metalwork.pipeline._exports import write_csv
from metalwork.pipeline._features import build_featurizer, label_model_featurizer
from metalwork.pipeline._folder import STEPS, RunFolder, new_run, open_folder
from metalwork.pipeline._job import Job
from metalwork.pipeline._kept import KeptLFs, KeptRun
from metalwork.pipeline._manifest import file_digest
from metalwork.pipeline._project import Project, load_project
from metalwork.pipeline._reopen import open_run, project_of
from metalwork.pipeline._run import Run
from metalwork.pipeline._scores import Results
from metalwork.pipeline._settings import (
    REGEX_FLAGS,
    EndModelSettings,
    FeatureSettings,
    LabelModelSettings,
    OutputSettings,
    RuleSettings,
    TuneSettings,
)
from metalwork.pipeline._split import LargeSplit, Split
from metalwork.pipeline._try import Tried, explain_lf, find_lf, record_of, try_lfs
from metalwork.pipeline._tuned import TriedSetting, Tuned
from metalwork.pipeline._unfinished import unfinished_run
from metalwork.pipeline._votes import reads_votes, with_votes
from metalwork.pipeline._watch import Failed, Looked, watch

__all__ = [
    "REGEX_FLAGS",
    "SPLITS",
    "STEPS",
    "Comparison",
    "Coverage",
    "EndModelSettings",
    "Event",
    "Failed",
    "FeatureSettings",
    "Job",
    "KeptLFs",
    "KeptRun",
    "LFChange",
    "LFProgress",
    "LabelModelSettings",
    "LabelShares",
    "LargeSplit",
    "Looked",
    "OutputSettings",
    "Progress",
    "Project",
    "Results",
    "RuleSettings",
    "Run",
    "RunFolder",
    "Sample",
    "ScoreChange",
    "Split",
    "StepFinished",
    "StepStarted",
    "Tried",
    "TriedSetting",
    "TuneSettings",
    "Tuned",
    "Warned",
    "build_featurizer",
    "check_job",
    "compare",
    "draft_rule",
    "dry_run",
    "explain_lf",
    "file_digest",
    "find_lf",
    "label_model_featurizer",
    "load_project",
    "new_run",
    "open_folder",
    "open_run",
    "project_of",
    "reads_votes",
    "record_of",
    "sample_records",
    "try_lfs",
    "unfinished_run",
    "watch",
    "with_votes",
    "write_csv",
]

offer(__name__, globals())
