"""The plan of an end model: which head sits on which layer, and which heads feed which. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from metalwork import _html
from metalwork._checks import check_choice, check_count
from metalwork.errors import ConfigError
from metalwork.schema import TaskSchema

ARCHITECTURES = ("tree", "hier", "levels", "flat", "single", "linear")
INPUT = -1
"""The ``layer`` of heads that read the input itself."""
_BY_LEVEL = ("hier", "levels")  # a layer for each level of the tree
_PAPER_SIZES = (250, 50)
_ONE_LAYER = (250,)
_END_LABELS_SHOWN = 6


@dataclass(frozen=True)
class LayerPlan:
    """One intermediate module: ``in_size`` values in, ``size`` out."""

    in_size: int
    size: int


@dataclass(frozen=True)
class HeadPlan:
    """One task head.

    Attributes
    ----------
    task : str or None
        The task it predicts; None for the one head over end labels of the ``"single"`` architecture.
    labels : tuple of str
        The labels it tells apart.
    layer : int
        Position in ``Plan.layers`` of the layer it reads; 0 is nearest the input, -1 is the input itself.
    children : tuple of str
        Tasks whose head outputs it reads besides.
    in_size : int
        Size of that layer plus the sizes of the children's outputs.
    """

    task: str | None
    labels: tuple[str, ...]
    layer: int
    children: tuple[str, ...]
    in_size: int

    @property
    def size(self) -> int:
        """Number of outputs: one a label."""
        return len(self.labels)

    @property
    def name(self) -> str:
        """The task, or ``"end labels"``."""
        return "end labels" if self.task is None else self.task


@dataclass(frozen=True)
class Plan:
    """A network drawn up but not built: ``layers`` from the input upwards, ``heads`` in schema order.

    Parents stand before their children in ``heads``, so that computing them in reverse meets each child's
    outputs before the parent that reads them. ``str(plan)`` draws it.
    """

    architecture: str
    n_features: int
    layers: tuple[LayerPlan, ...]
    heads: tuple[HeadPlan, ...]

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases when every module is linear, without the input module's."""
        sizes = [(layer.in_size, layer.size) for layer in self.layers]
        sizes += [(head.in_size, head.size) for head in self.heads]
        return sum((n_in + 1) * n_out for n_in, n_out in sizes)

    @property
    def width(self) -> int:
        """Units of the first layer; features, where there is none."""
        return self.layers[0].size if self.layers else self.n_features

    def heads_on(self, layer: int) -> tuple[HeadPlan, ...]:
        """The heads that read layer ``layer``."""
        return tuple(head for head in self.heads if head.layer == layer)

    def _repr_html_(self) -> str:
        return _html.lines(str(self))

    def __str__(self) -> str:
        lines = [f"{self.architecture}: {self.n_features:,} features, {self.n_parameters:,} parameters"]
        for index in reversed(range(len(self.layers))):
            layer, heads = self.layers[index], self.heads_on(index)
            lines.append(f"layer {index + 1}: {layer.in_size:,} -> {layer.size:,}")
            for i, head in enumerate(heads):
                lines.append(_branch(i == len(heads) - 1, head))
        lines.append(f"input: {self.n_features:,} features")
        heads = self.heads_on(INPUT)
        lines += [_branch(i == len(heads) - 1, head) for i, head in enumerate(heads)]
        return "\n".join(lines)


def _branch(is_last: bool, head: HeadPlan) -> str:
    return f"{'└──' if is_last else '├──'} {_describe(head)}"


def _describe(head: HeadPlan) -> str:
    shown = ", ".join(head.labels[:_END_LABELS_SHOWN])
    more = f" and {head.size - _END_LABELS_SHOWN} more" if head.size > _END_LABELS_SHOWN else ""
    reads = f", reads {', '.join(head.children)}" if head.children else ""
    return f"{head.name}: {head.in_size:,} -> {head.size:,} ({shown}{more}){reads}"


def compile_plan(
    schema: TaskSchema,
    architecture: str = "tree",
    n_features: int = 1,
    hidden_sizes: Sequence[int] | None = None,
) -> Plan:
    """Draw up the network for a schema (paper, section 4 and Figure 3, and what they are compared with).

    Parameters
    ----------
    schema : TaskSchema
        A tree of any depth; leaves may lie at different depths.
    architecture : {"tree", "hier", "levels", "flat", "single", "linear"}
        ``"tree"``: one layer, which every task's head reads. The paper's: ``"hier"``, the root's head on the top
        layer, a task ``k`` levels below it ``k`` layers nearer the input, and each head also reads the outputs of
        its child tasks' heads; ``"flat"``, every head on the top layer; ``"single"``, one head over the end labels
        on the top layer. ``"levels"``: ``"hier"``, but no head reads another. Where sizes are given, ``"tree"``
        and ``"flat"`` are the same. ``"linear"``: no layers; every task's head reads the input.
    n_features : int
        What the input module puts out (the paper's D_0).
    hidden_sizes : sequence of int, optional
        Sizes of the intermediate layers from the input upwards; by default (250,) for ``"tree"``, and the paper's
        (250, 50) for the others. For ``"hier"`` and ``"levels"`` a tree deeper than that repeats the last size, so
        that every level has its own layer; sizes beyond the number of levels stand below the deepest tasks, with
        no head of their own.

    Raises
    ------
    ConfigError
        For an unknown architecture or a size below 1.
    """
    check_choice("architecture", architecture, ARCHITECTURES)
    check_count("n_features", n_features)
    if architecture == "linear":
        size = int(n_features)
        linear = [HeadPlan(task, schema.labels(task), INPUT, (), size) for task in schema.tasks]
        return Plan(architecture, size, (), tuple(linear))
    sizes = _sizes(_default_sizes(architecture) if hidden_sizes is None else hidden_sizes)
    if architecture in _BY_LEVEL:
        sizes += [sizes[-1]] * max(0, schema.n_levels - len(sizes))
    layers = _layers(n_features, sizes)
    if architecture == "single":
        heads = [HeadPlan(None, schema.end_labels, len(layers) - 1, (), layers[-1].size)]
    else:
        heads = [_head(schema, task, layers, architecture) for task in schema.tasks]
    return Plan(architecture, int(n_features), layers, tuple(heads))


def _default_sizes(architecture: str) -> tuple[int, ...]:
    return _ONE_LAYER if architecture == "tree" else _PAPER_SIZES


def _sizes(hidden_sizes: Sequence[int]) -> list[int]:
    try:
        sizes = [check_count("hidden_sizes", size) for size in hidden_sizes]
    except (TypeError, ConfigError):
        sizes = []
    if not sizes:
        raise ConfigError(
            f"hidden_sizes must be one or more whole numbers of at least 1; got {hidden_sizes!r}. "
            "Give one a layer, such as (250, 50)."
        )
    return sizes


def _layers(n_features: int, sizes: Sequence[int]) -> tuple[LayerPlan, ...]:
    below = [int(n_features), *sizes[:-1]]
    return tuple(LayerPlan(n_in, n_out) for n_in, n_out in zip(below, sizes, strict=True))


def _head(schema: TaskSchema, task: str, layers: Sequence[LayerPlan], architecture: str) -> HeadPlan:
    layer = len(layers) - 1 - (schema.depth(task) if architecture in _BY_LEVEL else 0)
    children = schema.children(task) if architecture == "hier" else ()
    in_size = layers[layer].size + sum(len(schema.labels(child)) for child in children)
    return HeadPlan(task, schema.labels(task), layer, children, in_size)
