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
    typer.Option(
        "--model", metavar="end|label|both", help="Which model predicts; the end model where there is one."
    ),
]
MinConfidenceOption = Annotated[
    float, typer.Option("--min-confidence", help="Give no label that is less probable.")
]
MinPrecisionOption = Annotated[
    float | None,
    typer.Option("--min-precision", help="Give labels from the confidence at which dev shows this precision."),
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
    min_confidence: MinConfidenceOption = 0.0,
    min_precision: MinPrecisionOption = None,
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


@app.command(rich_help_panel=_WORK)
def serve(
    run: RunArgument,
    port: Annotated[int, typer.Option("--port", metavar="N", help="Where to listen; 0 for any free port.")] = 8000,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; 0.0.0.0 lets other machines ask.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name by which it may be asked; may be repeated."),
    ] = None,
    min_confidence: MinConfidenceOption = 0.0,
    min_precision: MinPrecisionOption = None,
    max_records: Annotated[int, typer.Option("--max-records", min=1, help="Records in a request.")] = 1000,
    max_bytes: Annotated[int, typer.Option("--max-bytes", min=1, help="Bytes in a request.")] = 1 << 20,
    model: ModelOption = None,
    run_code: RunCodeOption = False,
    dockerfile: Annotated[
        Path | None,
        typer.Option("--dockerfile", metavar="PATH", help="Write a Dockerfile, and serve nothing."),
    ] = None,
) -> None:
    """Answer requests over HTTP with the models of a finished run.

    POST /predict takes {"records": [{"text": "..."}]}, and may say min_confidence,
    probabilities and explain. GET /health, /metrics (Prometheus), /model and
    /openapi.json tell of the server. Requests that wait together are predicted
    together. SIGTERM ends it once what is asked is answered.

    It listens on this machine alone unless --host says otherwise, and has no
    passwords: put a proxy that has before it.

    Examples:
      metalwork serve runs/first --port 8000
      metalwork serve runs/first --dockerfile Dockerfile
    """
    from metalwork.cli._serve import run_serve, write_docker

    if dockerfile is not None:
        write_docker(run, dockerfile)
        return
    cut = {"min_confidence": min_confidence, "min_precision": min_precision}
    limits = {"max_records": max_records, "max_bytes": max_bytes}
    run_serve(run, host, port, allow_host, model, run_code, cut, limits)


@app.command(rich_help_panel=_WORK)
def drift(
    run: RunArgument,
    files: FilesArgument,
    against: Annotated[
        str,
        typer.Option("--against", metavar="SPLIT", help="Compare with train, dev or test."),
    ] = "train",
    significance: Annotated[
        float, typer.Option("--significance", help="False alarms among what moved, at most.")
    ] = 0.01,
    least_effect: Annotated[
        float, typer.Option("--least-effect", help="The least difference that counts: a share of the records.")
    ] = 0.05,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="End with exit code 4 where something moved.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="Write all figures as JSON.")] = None,
    model: ModelOption = None,
    run_code: RunCodeOption = False,
) -> None:
    """Say whether new records differ from those of a run.

    Compares the labels predicted in each task, the confidence, and how each
    labeling function votes. What moved is significant with all comparisons
    counted, and large enough to matter.

    Examples:
      metalwork drift runs/first new.csv --run-code
      metalwork drift runs/first 'new/*.jsonl' --fail-on-drift --out drift.json
    """
    from metalwork.cli._drift import run_drift

    how = {"against": against, "significance": significance, "least_effect": least_effect}
    run_drift(run, files, out, model, run_code, fail_on_drift, how)


@app.command(rich_help_panel=_WORK)
def export(
    run: RunArgument,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="PATH", help="A new folder for the model and its card.")
    ] = None,
    with_onnx: Annotated[bool, typer.Option("--with-onnx", help="Put model.onnx into the folder, too.")] = False,
    onnx: Annotated[
        Path | None, typer.Option("--onnx", metavar="PATH", help="A file for the network as ONNX.")
    ] = None,
    quantise: Annotated[
        bool, typer.Option("--quantise", help="Give the ONNX file weights of 8 bits, at some loss.")
    ] = False,
    check: Annotated[
        list[str] | None,
        typer.Option("--check", metavar="FILE", help="Records to compare the ONNX file on; may be repeated."),
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="PATH", help="A file for the model card, in Markdown.")
    ] = None,
) -> None:
    """Write the end model of a run for others: as a folder, as ONNX, or its card.

    The folder has the network (safetensors), its featurizer, config.json and the
    card as README.md, with what the user has to fill in; `metalwork predict` and
    `serve` take it like a run. It holds no record and no labeling function.

    Examples:
      metalwork export runs/first --folder model --with-onnx
      metalwork export runs/first --onnx model.onnx --quantise --check new.csv
    """
    from metalwork.cli._export import run_export

    run_export(run, folder, with_onnx, onnx, quantise, check or [], card)
