"""What is proposed: a tree, its groups, and what votes say about it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML

from metalwork import _html
from metalwork._files import atomic_write
from metalwork.probabilities import TaskProbabilities
from metalwork.proposals._evidence import Evidence
from metalwork.proposals._in_tree import probabilities_in_tree, votes_in_tree
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


@dataclass(frozen=True)
class SchemaProposal:
    """A tree over flat labels, as :func:`propose_schema` found it; ``print`` it for a summary.

    Attributes
    ----------
    flat : TaskSchema
        The labels as they were given.
    tree : TaskSchema
        The tree that was found, whatever the votes say of it; ``flat`` where nothing tells labels apart.
    groups : dict of str to tuple of str
        The groups of two labels and more, by name. Labels in no group stay end labels at the root.
    based_on : tuple of str
        What the tree was made from.
    evidence : Evidence or None
        What held-out votes say; None without votes.
    reason : str
        A sentence on why it was accepted or not.
    """

    flat: TaskSchema
    tree: TaskSchema
    groups: Mapping[str, tuple[str, ...]]
    based_on: tuple[str, ...]
    evidence: Evidence | None
    reason: str

    @property
    def accepted(self) -> bool | None:
        """Whether held-out votes support the tree; None where there are no votes to ask; False without a tree."""
        if not self.groups:
            return False
        return None if self.evidence is None else self.evidence.supported

    @property
    def score(self) -> float | None:
        """Mean log of how many times likelier held-out disagreements are in the tree than flat; None: no votes."""
        return None if self.evidence is None else self.evidence.gain

    @property
    def schema(self) -> TaskSchema:
        """The schema to go on with: the tree, or ``flat`` where votes do not support the tree."""
        return self.flat if self.accepted is False else self.tree

    def votes_in_tree(self, votes: LabelMatrix) -> LabelMatrix:
        """Votes on :attr:`flat` as votes on the tasks of :attr:`tree`, to fit a label model of the tree to.

        Labeling functions for whole groups can then be put beside them (``LabelMatrix.beside``). A labeling
        function that votes for labels of several tasks becomes one a task, ``"name[task]"``.

        Raises
        ------
        VotesError
            When the end labels are others, or some votes are for sets or soft.
        """
        return votes_in_tree(votes, self.tree)

    def probabilities_in_tree(self, probabilities: TaskProbabilities) -> TaskProbabilities:
        """Probabilities of a flat label model as those of :attr:`tree`, to train an end model of the tree on.

        The end labels' probabilities stay what they are, so nothing is lost.
        """
        return probabilities_in_tree(probabilities, self.tree)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write :attr:`schema` as YAML, for ``TaskSchema.from_yaml`` and project files; whole or not at all."""
        writer = YAML()
        writer.allow_unicode = True
        with atomic_write(path) as stream:
            stream.write("".join(f"# {line}\n" for line in self._notes()).encode("utf-8"))
            writer.dump(self.schema.to_dict(), stream)

    def _notes(self) -> list[str]:
        if not self.groups:
            return [self.reason]
        n_groups, sources = len(self.groups), " and ".join(self.based_on)
        groups = f"{n_groups} group{'s' if n_groups != 1 else ''} of {self.tree.n_end_labels} labels"
        return [f"{groups}, made from {sources}.", self.reason]

    def __str__(self) -> str:
        tree = [str(self.tree)] if self.groups else []
        return "\n".join([*tree, *self._notes()])

    def _repr_html_(self) -> str:
        return _html.block("Proposed schema", _html.lines(str(self)))
