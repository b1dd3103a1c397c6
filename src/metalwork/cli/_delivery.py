"""Commands that put a finished run to work."""

from pathlib import Path
from typing import Annotated

import typer

from metalwork.cli._app import app

_WORK = "A finished run at work"

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run, e.g. runs/first.")]
FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILES...", help="New records: files, globs or folders.")
]
RunCodeOption = Annotated[
    bool,
    typer.Option(
        "--run-code", help="Run the Python file of labeling functions that the run keeps; trust it first."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="end|label", help="Which model predicts; the end model where there is one."),
]


@app.command(rich_help_panel=_WORK)
def predict(
    run: RunArgument,
    files: FilesArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="PATH", help="The file to write: .csv, .jsonl or .parquet.")
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="A column to copy into the results; may be repeated."),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option("--min-confidence", help="Give no label that is less probable.")
    ] = 0.0,
    min_precision: Annotated[
        float | None,
        typer.Option("--min-precision", help="Give labels from the confidence at which dev shows this precision."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the words that moved each prediction most (slow).")
    ] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities/--no-probabilities", help="Add the probability of every label.")
    ] = True,
    model: ModelOption = None,
    run_code: RunCodeOption = False,
) -> None:
    """Predict new records with the models of a finished run.

    Reads whatever a run reads (CSV, JSONL, Parquet, packed or not), some records
    at a time, and writes one table, whole or not at all: the end label, its
    probability, the label in each task, and the probability of every label.

    With --min-precision, labels are given from the confidence at which the dev
    records show that precision, to 90 % certainty; where they cannot, that is an
    error which says what they show.

    Examples:
      metalwork predict runs/first new.csv --out labels.csv --keep id
      metalwork predict runs/first 'new/*.parquet' --out labels.parquet --min-precision 0.9
    """
    from metalwork.cli._predict import run_predict

    cut = {"min_confidence": min_confidence, "min_precision": min_precision}
    run_predict(
        run, files, out, model, run_code, keep=keep or [], explain=explain, probabilities=probabilities, **cut
    )
