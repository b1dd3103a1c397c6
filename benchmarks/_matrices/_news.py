"""News and reports: the project's own experiments, and Reuters-21578 topics found by topic words."""

import re
import tarfile
from collections.abc import Iterator

import numpy as np

import metalwork as mw
from _matrices._weak import DEV, TEST, TRAIN, UNKNOWN, WeakMatrix, pattern_votes, words
from _matrices._wrench import data_folder
from metalwork.examples import load_example
from metalwork.experiments import hidden_gold


def _example(name: str, data: str) -> WeakMatrix:
    """Gold for dev and test only, but where the data set publishes train labels too."""
    data_folder(data)
    job = load_example(name)
    run = mw.Run(job).apply()
    votes = mw.LabelMatrix.concatenate([run.votes[split] for split in job.splits])
    codes = [job.schema.end_of(job.known_labels(split)) for split in job.splits]
    if (hidden := hidden_gold(job)) is not None:
        codes[0] = job.schema.end_of(hidden)
    gold = np.where(np.concatenate(codes) < 0, UNKNOWN, np.concatenate(codes))
    split = np.repeat([TRAIN, DEV, TEST], [len(part) for part in codes])
    texts = [str(text) for part in job.splits for text in job.split(part).records[job.features.text]]
    return WeakMatrix(name, votes, gold, split, "written", "the example's own LFs", texts=texts)


def openi() -> WeakMatrix:
    """Chest X-ray reports; gold on 50 dev and 378 test reports."""
    return _example("openi", "openi")


def rcv1() -> WeakMatrix:
    """RCV1 news; gold on 50 dev and 241 test articles."""
    return _example("rcv1", "rcv1")


def reuters() -> WeakMatrix:
    """Reuters-21578 in the tree of the paper."""
    return _example("reuters", "reuters21578")


_TOPICS = {
    "acq": ("acqui*", "merger", "takeover", "stake", "buyout", "tender offer", "shareholders"),
    "crude": ("crude", "oil", "opec", "barrel*", "petroleum", "refinery", "bpd"),
    "earn": ("net", "shr", "qtr", "earnings", "profit*", "dividend", "revs", "loss"),
    "grain": ("grain*", "wheat", "corn", "tonnes", "crop", "harvest", "bushel*"),
    "interest": ("interest rate*", "prime rate", "discount rate", "pct", "bank", "money market", "repo"),
    "money-fx": ("dollar", "yen", "currency", "currencies", "exchange rate*", "bundesbank", "intervention"),
    "ship": ("ship*", "vessel*", "port", "cargo", "tanker*", "strike", "gulf"),
    "trade": ("trade", "tariff*", "deficit", "surplus", "export*", "import*", "gatt"),
}


def _articles() -> Iterator[tuple[str, list[str], str]]:
    """Split, topics and text of each article that has a LEWISSPLIT and a body."""
    with tarfile.open(data_folder("reuters21578", "reuters21578.tar.gz")) as archive:
        for member in archive:
            if not member.name.endswith(".sgm"):
                continue
            stream = archive.extractfile(member)
            text = stream.read().decode("latin-1") if stream else ""
            for head, body in re.findall(r"<REUTERS([^>]*)>(.*?)</REUTERS>", text, re.DOTALL):
                split = re.search(r'LEWISSPLIT="(\w+)"', head)
                topics = re.findall(r"<D>(.*?)</D>", body.split("<PLACES>")[0])
                content = " ".join(re.findall(r"<(?:TITLE|BODY)>(.*?)</(?:TITLE|BODY)>", body, re.DOTALL))
                yield split.group(1) if split else "", topics, content


def _reuters(name: str, topics: dict[str, tuple[str, ...]], note: str) -> WeakMatrix:
    chosen = [
        a for a in _articles() if a[0] in ("TRAIN", "TEST") and len(a[1]) == 1 and a[1][0] in topics and a[2]
    ]
    schema = mw.TaskSchema.flat(list(topics), task="topic")
    rules = [rule for topic, found in topics.items() for rule in words("topic", topic, *found)]
    texts = [content for _, _, content in chosen]
    votes = pattern_votes(texts, schema, rules)
    gold = schema.end_codes([found[0] for _, found, _ in chosen])
    split = np.array([TEST if part == "TEST" else TRAIN for part, _, _ in chosen])
    return WeakMatrix(name, votes, gold, split, "written", note, texts=texts)


def reuters_topics() -> WeakMatrix:
    """The eight largest topics, seven words each; half the articles are earnings."""
    return _reuters("reuters_topics", _TOPICS, "seven words a topic, very unequal classes")


def reuters_names() -> WeakMatrix:
    """Thirty commodities, each found by its own name alone; a few other words stand beside."""
    names = (
        "cocoa", "coffee", "copper", "cotton", "gold", "silver", "sugar", "rubber", "tin", "zinc", "nickel",
        "corn", "wheat",
        "rice", "soybean", "livestock", "carcass", "orange", "lumber", "wool", "jobs", "housing", "retail",
        "cpi", "gnp",
        "money-supply", "reserves", "bop", "iron-steel", "alum", "nat-gas", "gas", "veg-oil", "oilseed", "ipi",
    )  # fmt: skip
    more = {
        "alum": ("aluminium", "aluminum"), "iron-steel": ("steel", "iron"), "nat-gas": ("natural gas",
        "cubic feet"),
        "gas": ("gasoline", "petrol"), "veg-oil": ("palm oil", "vegetable oil*", "edible oil*"),
        "oilseed": ("rapeseed", "oilseed*"),
        "money-supply": ("money supply", "m-1", "m-3"), "bop": ("current account", "balance of payments"),
        "jobs": ("unemployment", "jobless", "jobs"), "cpi": ("consumer prices", "inflation"),
        "housing": ("housing", "homes"),
        "gnp": ("gnp", "gross national product", "gdp"), "ipi": ("industrial production", "output"),
        "tin": ("tin", "atpc"),
        "retail": ("retail sales", "retail"), "reserves": ("reserves",), "orange": ("orange", "citrus"),
        "carcass": ("beef", "pork", "meat"),
        "livestock": ("cattle", "hogs", "livestock"), "lumber": ("lumber", "timber", "plywood"),
    }  # fmt: skip
    topics = {name: more.get(name, (name,)) for name in names}
    return _reuters("reuters_names", topics, "one to three words a topic")
