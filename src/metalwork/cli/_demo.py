"""The ``demo`` command: the main job on real data, by the same code as ``run``."""

from pathlib import Path

from rich.text import Text

from metalwork.cli._run import run_all
from metalwork.cli._show import out
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.pipeline import EndModelSettings, FeatureSettings, Job, Split, new_run


def run_demo(folder: Path, offline: bool) -> None:
    """Run the whole pipeline on OpenI, or on digits where OpenI cannot be had."""
    job = _openi_job() if _has_openi(offline) else _digits_job()
    run_all(job, new_run(folder))


def _has_openi(offline: bool) -> bool:
    try:
        find_data("openi", download=not offline)
    except DataError as error:
        out().print(Text(f"{error}\n\nSo this demo takes scikit-learn's bundled handwritten digits instead.\n"))
        return False
    return True


def _openi_job() -> Job:
    from metalwork.experiments import Settings, openi

    protocol = Settings()  # as `metalwork reproduce openi` has it
    out().print(
        Text(
            "Triage of chest X-ray reports, the paper's own task: 2,630 reports without labels, "
            "50 labeled ones that the rules were written from, and 378 to test on.\n"
        )
    )
    data = openi.load()
    return Job.of_splits(
        "OpenI: triage of chest X-ray reports",
        data.schema,
        openi.LABELING_FUNCTIONS,
        {
            "train": Split(data.train, None, data.train["uid"]),
            "dev": Split(data.dev, data.dev_labels, data.dev["uid"]),
            "test": Split(data.test, data.test_labels, data.test["uid"]),
        },
        FeatureSettings(text=data.words, min_df=protocol.min_df),
        end_model=EndModelSettings(options=dict(protocol.end_model)),
    )


def _digits_job() -> Job:
    from metalwork.experiments import digits

    data = digits.load()
    return Job.of_splits(
        "Handwritten digits",
        data.schema,
        digits.LABELING_FUNCTIONS,
        {
            "train": Split(data.train),
            "dev": Split(data.dev, data.dev_labels),
            "test": Split(data.test, data.test_labels),
        },
        FeatureSettings(columns=list(digits.PIXELS)),
        end_model=EndModelSettings(hidden_sizes=[64, 32]),
    )
