"""A small project on disk for the pipeline's tests: pets, two levels, rules that are nearly always right."""

import textwrap
from pathlib import Path

SCHEMA = """
    task: kind
    labels:
      - Mammal: {task: mammal, labels: [Cat, Dog]}
      - Bird: {task: bird, labels: [Owl, Duck]}
"""

PROJECT = """
    name: pets
    schema: schema.yaml
    data: {train: train.csv, dev: dev.csv, test: test.csv, id: key}
    lfs:
      python: lfs.py
      rules:
        - {keywords: [feather, beak], task: kind, label: Bird, name: feathered}
        - {regex: 'quack\\w*', task: bird, label: Duck, name: quacks}
        - {column: guess, task: mammal, mapping: {c: Cat, d: Dog}, name: other tool}
    features: {text: text, min_df: 1}
    end_model: {hidden_sizes: [16, 16], max_epochs: 20, batch_size: 4, lr: 0.01}
"""

LFS = """
    import metalwork as mw

    furry = mw.keywords("kind", "Mammal", ["fur", "paw"], name="furry")

    @mw.labeling_function(task="mammal")
    def meows(text):
        return "Cat" if "meow" in text else mw.ABSTAIN

    @mw.labeling_function(task="mammal")
    def barks(text):
        return "Dog" if "bark" in text else mw.ABSTAIN

    hoots = mw.keywords("bird", "Owl", ["hoot"], name="hoots")
"""

_TEXTS = {"Cat": "fur and a meow", "Dog": "paw and a bark", "Owl": "feather and a hoot", "Duck": "beak and quack"}
_GUESSES = {"Cat": "c", "Dog": "d", "Owl": "", "Duck": ""}


def write_project(folder: Path, *, project: str = PROJECT, schema: str = SCHEMA, lfs: str = LFS) -> Path:
    """Write the project into ``folder``; returns the project file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.yaml").write_text(textwrap.dedent(schema))
    (folder / "lfs.py").write_text(textwrap.dedent(lfs))
    for split, copies in (("train", 6), ("dev", 1), ("test", 2)):
        (folder / f"{split}.csv").write_text(records(split, copies))
    path = folder / "project.yaml"
    path.write_text(textwrap.dedent(project))
    return path


def records(split: str, copies: int) -> str:
    """CSV text: ``copies`` records of each end label; the label stands in all but the training split."""
    lines = ["key,text,guess" + (",label" if split != "train" else "")]
    for i in range(copies):
        for name, text in _TEXTS.items():
            gold = f",{name}" if split != "train" else ""
            lines.append(f"{split}-{name}-{i},{text} {split} number{i},{_GUESSES[name]}{gold}")
    return "\n".join(lines) + "\n"
