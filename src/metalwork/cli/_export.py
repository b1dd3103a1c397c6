"""The ``export`` command."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metalwork._files import write_text
from metalwork.cli._predict import named
from metalwork.cli._progress import step
from metalwork.cli._streams import say
from metalwork.delivery import Predictor
from metalwork.errors import ConfigError

if TYPE_CHECKING:
    from metalwork.end_models import OnnxCheck


def run_export(
    run: Path,
    folder: Path | None,
    with_onnx: bool,
    onnx: Path | None,
    quantise: bool,
    check: Sequence[str],
    card: Path | None,
) -> None:
    """Write what is asked for, and say how an ONNX file compares with the model."""
    if folder is None and onnx is None and card is None:
        raise ConfigError("export must be told what to write; got nothing. Give --folder, --onnx or --card.")
    predictor = Predictor.load(run, model="end")
    if card is not None:
        write_text(card, predictor.card())
        say(str(card))
    if onnx is not None:
        with step("Writing the network as ONNX, and comparing it with the model"):
            found = predictor.export_onnx(onnx, named(check) if check else None, quantise)
        say(f"{onnx}: {_compared(found)}")
    if folder is not None:
        with step("Writing the model and its card"):
            compared = predictor.export(folder, onnx=with_onnx, quantise=quantise)
        say(f"{folder}" if compared is None else f"{folder}: its model.onnx has {_compared(compared)}")


def _compared(found: "OnnxCheck") -> str:
    return (
        f"{found.n_bytes / 1e6:.2f} MB; on {found.n_points:,} records probabilities differ by at most "
        f"{found.difference:.1g}, and {found.agreement:.1%} of the end labels are the same"
    )
