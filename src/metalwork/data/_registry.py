"""The data sets that metalwork knows: where they come from, their licence, and what their files must be."""

from dataclasses import dataclass
from typing import Final

from metalwork.errors import DataError
from metalwork.schema import unknown_name

_OOS_EVAL = "https://raw.githubusercontent.com/clinc/oos-eval/828f8093932c8fe6ca7936c3d2e52903b1c523de/data"


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    ``sha256`` is the digest of its content; of a ``.tar.gz`` it is that of its ``.sgm`` members, so that
    packing it anew does not matter. ``url`` is set where the public origin holds this very content.
    """

    name: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """A data set: its folder below the data folder, its files (the first is the records), and its terms."""

    name: str
    description: str
    licence: str
    origin: str
    files: tuple[DataFile, ...]
    is_folder: bool = False

    @property
    def downloadable(self) -> bool:
        """Whether the public origin holds the records in our form."""
        return all(file.url is not None for file in self.files)


DATASETS: Final = (
    DatasetInfo(
        "openi",
        "chest X-ray reports, the paper's task: 2,630 train, 50 dev, 378 test",
        "reports CC BY-NC-ND (not verified); research only",
        "The paper's split is in github.com/HazyResearch/cross-modal-ws-demo, in another form (num_label 1..4 = "
        "Normal, Non-urgent, Urgent, Emergent). Write it as JSON lines with uid, split, text and label.",
        (DataFile("openi.jsonl", "90d36054eedc81410fd275910f99b74c33b13c216cc1e305c9656c1b546f9778"),),
    ),
    DatasetInfo(
        "rcv1",
        "RCV1 news as word counts, four classes: 600 train, 50 dev, 241 test",
        "term counts only; Lewis et al. 2004",
        "The public vectors, sklearn.datasets.fetch_rcv1, hold weights instead of counts, so these records cannot "
        "be drawn from them. Write yours as JSON lines with id, split, label and bow (word -> count).",
        (DataFile("rcv1.jsonl", "74cd437e54ce0ec1ce1b7ad6d308d15243bea62171a5ac8e243c924fa5eecde7"),),
    ),
    DatasetInfo(
        "reuters21578",
        "the complete Reuters-21578, 22 SGML files",
        'research only; cite "Reuters-21578, Distribution 1.0"',
        "The UCI repository and D. Lewis's page.",
        (
            DataFile(
                "reuters21578.tar.gz",
                "d8631763152b2c34082bda94e7f70689607368769ba80e96d5d7bd9104e767bb",
                "https://archive.ics.uci.edu/ml/machine-learning-databases/reuters21578-mld/reuters21578.tar.gz",
            ),
        ),
    ),
    DatasetInfo(
        "trec",
        "TREC questions, 6 coarse and 50 fine classes, with 68 regex LFs: 4,964 / 500 / 500",
        "rules Apache-2.0 (WRENCH); questions by Li and Roth 2002",
        "WRENCH (github.com/JieyuZ2/wrench) joined with Li and Roth's fine labels; no public file has this form.",
        (DataFile("trec_hier_wrench.jsonl", "7bbf95321e6908998ce550c7b2929c4d033a387ffd63ace105beaf359fa42ad2"),),
    ),
    DatasetInfo(
        "wrench/youtube",
        "YouTube comment spam with 10 weak labels: 1,686 / 120 / 250",
        "Apache-2.0 (WRENCH)",
        "WRENCH (github.com/JieyuZ2/wrench) keeps it on Google Drive: put its youtube folder there.",
        (
            DataFile("train.json", "8c487acf4e3e16b340e28f3633d5613f83c4db2d3b287e4341c86ff8f2192705"),
            DataFile("valid.json", "01d28d71c48e34bdde0566a9eead1d9694baa4eae176cea6d979bb59c4516df3"),
            DataFile("test.json", "ef04412aee047657e41d7ad1411f11d05fce13b642bf1bec8897d138343ee12d"),
            DataFile("label.json", "6837af4230238ed5c9d5d32ce309083b24491fe5d085f0b779298e7c67eeb74a"),
        ),
        is_folder=True,
    ),
    DatasetInfo(
        "wrench/sms",
        "SMS spam with 73 weak labels: 4,571 / 500 / 500",
        "Apache-2.0 (WRENCH)",
        "WRENCH (github.com/JieyuZ2/wrench) keeps it on Google Drive: put its sms folder there.",
        (
            DataFile("train.json", "9d77f52d2af078dbcecffad72c6b22cb6f8fe89c68db0ad99e811be06ec46800"),
            DataFile("valid.json", "977a3b91bdbdb12186b44ee422a51eac85de343b8159e4973b16cf4b3d245d32"),
            DataFile("test.json", "7a3fad03b9ad609e91a276e92b3bc31fbb8a48eacbc1bf42853cd440a4f6c080"),
            DataFile("label.json", "5ba8069344eaf5578717910018232889bb77d6dad78b7fe7d002aeb089bc7efb"),
        ),
        is_folder=True,
    ),
    DatasetInfo(
        "clinc150",
        "150 intents in 10 domains, and out-of-scope queries: 15,000 / 3,000 / 4,500",
        "CC BY 3.0",
        "github.com/clinc/oos-eval.",
        (
            DataFile(
                "data_full.json",
                "36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
                f"{_OOS_EVAL}/data_full.json",
            ),
            DataFile(
                "domains.json",
                "b947b579d3b8e74b06f93b01083d8efaff2888b43a3e362533bd88a6e1211b3a",
                f"{_OOS_EVAL}/domains.json",
            ),
        ),
    ),
)


def dataset_info(name: str) -> DatasetInfo:
    """What is known of the data set of this name; ``DataError`` with a suggestion when there is none."""
    for info in DATASETS:
        if info.name == name:
            return info
    raise DataError(unknown_name("data set", name, [info.name for info in DATASETS]))
