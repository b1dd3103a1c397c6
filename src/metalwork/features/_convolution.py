"""Networks that end models read pictures through. Needs torch."""

import os
from importlib import import_module
from typing import Any, Final

from safetensors.torch import load_file
from torch import Tensor, nn

from metalwork.errors import ConfigError, MissingExtraError

_WIDTHS: Final = (32, 64, 128, 128)
_SMALLEST: Final = 4  # pixels, below which a picture is not halved


class OfPictures(nn.Module):
    """Reads rows of pixels as pictures.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width.
    network : nn.Module
        From pictures to features: any shape, which is flattened.
    n_channels : int
        What the network takes; shades of grey are repeated.
    """

    def __init__(self, shape: tuple[int, int, int], network: nn.Module, n_channels: int) -> None:
        super().__init__()
        self._shape, self._n_channels = shape, n_channels
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        """float tensor (n_rows, n_outputs)."""
        pictures = rows.reshape(-1, *self._shape)
        if self._shape[0] != self._n_channels:
            pictures = pictures[:, :1].expand(-1, self._n_channels, -1, -1)
        found: Tensor = self.network(pictures).flatten(1)
        return found


def small_network(shape: tuple[int, int, int]) -> nn.Module:
    """Two to four convolutions of 3 x 3 pixels; from the second on, large pictures are halved."""
    n_channels, *sides = shape
    layers: list[nn.Module] = []
    for depth, width in enumerate(_WIDTHS):
        halves = depth > 0 and min(sides) >= 2 * _SMALLEST
        if depth > 1 and not halves:
            break
        layers += [nn.Conv2d(n_channels, width, 3, padding=1), nn.ReLU()]
        if halves:
            layers.append(nn.MaxPool2d(2))
            sides = [side // 2 for side in sides]
        n_channels = width
    if min(sides) > _SMALLEST:
        layers.append(nn.AdaptiveAvgPool2d(_SMALLEST))
    return nn.Sequential(*layers)


def backbone_network(name: str, weights: Any) -> nn.Module:
    """A classifier of torchvision without its last layer; its weights are made up, or those of a file.

    Raises
    ------
    ConfigError
        For a name that torchvision does not know, or a file that is not there or of another network.
    MissingExtraError
        Without ``metalwork[images]``.
    """
    models = _torchvision()
    try:
        network: nn.Module = models.get_model(name, weights=None)
    except ValueError:
        known = ", ".join(models.list_models(module=models)[:40])
        raise ConfigError(
            f"backbone must be 'small' or a classifier of torchvision; got {name!r}. Known: {known}."
        ) from None
    if weights is not None:
        network.load_state_dict(_weights(weights, network))
    place = [part for part, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not place:
        raise ConfigError(f"backbone must end in a linear layer; {name!r} does not. Use another one.")
    above, _, last = place[-1].rpartition(".")
    setattr(network.get_submodule(above), last, nn.Identity())
    return network


def _weights(path: Any, network: nn.Module) -> dict[str, Tensor]:
    """The weights in a file, which must be those of the network."""
    try:
        found = load_file(os.fspath(path))
    except Exception as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else "it is something else"
        raise ConfigError(
            f"weights must be a file of safetensors on this machine; got {str(path)!r}: {why}. Write one by "
            "safetensors.torch.save_file(network.state_dict(), path)."
        ) from None
    expected = network.state_dict()
    wrong = [n for n, w in expected.items() if n not in found or found[n].shape != w.shape]
    if wrong or set(found) > set(expected):
        raise ConfigError(
            f"weights must be those of the backbone; {str(path)!r} has another {(wrong or ['layer'])[0]}."
        )
    return found


def _torchvision() -> Any:
    try:
        return import_module("torchvision.models")
    except ImportError:
        raise MissingExtraError("torchvision", "images", "A backbone of torchvision") from None
    except RuntimeError as error:  # its operators are compiled for one build of torch
        raise ConfigError(
            f"torchvision must be of the same build as torch; it cannot be imported ({error}). Install both from "
            "one place."
        ) from None
