"""Matrices whose labeling functions others wrote: TREC, YouTube and SMS as WRENCH distributes them."""

import json
import os
from pathlib import Path

import numpy as np

import metalwork as mw
from _matrices._weak import DEV, TEST, TRAIN, Unavailable, WeakMatrix, pattern_votes

COARSE = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
_SPLITS = {"train": TRAIN, "valid": DEV, "val": DEV, "dev": DEV, "test": TEST}


def data_folder(*parts: str) -> Path:
    """A folder or file under METALWORK_DATA."""
    root = os.environ.get("METALWORK_DATA")
    if not root:
        raise Unavailable("set METALWORK_DATA to the folder with the data sets")
    path = Path(root).joinpath(*parts)
    if not path.exists():
        raise Unavailable(f"{'/'.join(parts)} is not under METALWORK_DATA")
    return path


def _trec_records() -> list[dict[str, object]]:
    with data_folder("trec", "trec_hier_wrench.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _trec_coarse_codes(records: list[dict[str, object]]) -> np.ndarray:
    codes = np.full((len(records), 68), mw.ABSTAIN, np.int8)
    for i, record in enumerate(records):
        for j, label in record["weak"].items():  # type: ignore[attr-defined]
            codes[i, int(j)] = COARSE.index(label)
    return codes


def trec() -> WeakMatrix:
    """68 regular expressions on 6 coarse question classes."""
    records = _trec_records()
    schema = mw.TaskSchema.flat(list(COARSE), task="coarse")
    gold = np.array([COARSE.index(str(r["coarse"])) for r in records])
    split = np.array([_SPLITS[str(r["split"])] for r in records])
    votes = mw.LabelMatrix(_trec_coarse_codes(records), schema)
    return WeakMatrix("trec", votes, gold, split, "real", texts=[str(r["text"]) for r in records])


_FINE_WORDS = {
    "ABBR:abb": "abbreviat.*of|acronym for",
    "ABBR:exp": "stand(s)? for|abbreviation|acronym|full form",
    "DESC:def": "^what (is|are|was) (a|an|the)? ?\\w+ \\?$|mean|definition",
    "DESC:manner": "^how (do|does|can|did|to)",
    "DESC:reason": "^why|cause|reason",
    "DESC:desc": "origin|difference|describe|history|purpose",
    "ENTY:animal": "animal|bird|dog|cat|fish|insect|species|breed",
    "ENTY:body": "bone|body|organ|muscle",
    "ENTY:color": "colou?r",
    "ENTY:cremat": "book|novel|film|movie|song|play|poem|album|tv|show|painting",
    "ENTY:currency": "currency|unit of money",
    "ENTY:dismed": "disease|medicine|drug|illness|cancer|fear|symptom",
    "ENTY:event": "war|battle|event|holiday|festival",
    "ENTY:food": "food|eat|drink|fruit|beer|wine|cook|dish|cheese",
    "ENTY:instru": "instrument|guitar|piano",
    "ENTY:lang": "language|spoken|speak",
    "ENTY:letter": "letter|vowel",
    "ENTY:plant": "plant|tree|flower",
    "ENTY:product": "product|brand|toy",
    "ENTY:religion": "religion|church",
    "ENTY:sport": "sport|game|ball",
    "ENTY:substance": "made (of|from)|metal|chemical|gas|mineral|element",
    "ENTY:symbol": "symbol|sign",
    "ENTY:techmeth": "method|technique|way",
    "ENTY:termeq": "term|called|nickname|word for",
    "ENTY:veh": "ship|car|plane|vehicle|boat|train",
    "ENTY:word": "what word|words",
    "HUM:ind": "^who|name of the (man|woman|person)|actor|president|author",
    "HUM:gr": "company|team|group|organization|band",
    "HUM:desc": "^who (is|was|were) \\w+ \\w+ \\?$",
    "HUM:title": "title|occupation|profession|job",
    "LOC:city": "city|capital|town",
    "LOC:country": "country|countries|nation",
    "LOC:mount": "mountain|peak|volcano",
    "LOC:state": "state|province",
    "LOC:other": "^where|island|river|ocean|sea|lake|planet|continent|park",
    "NUM:code": "code|phone number|zip",
    "NUM:count": "how many|number of|population",
    "NUM:date": "when|what (year|date|day|month)",
    "NUM:dist": "how (far|tall|high|long is|deep|wide)|distance|height|miles",
    "NUM:money": "cost|price|how much|salary|dollars|worth",
    "NUM:ord": "rank|chapter",
    "NUM:other": "score|odds",
    "NUM:period": "how (long|old)|age|years|life ?span",
    "NUM:perc": "percent|percentage|fraction|chance",
    "NUM:speed": "speed|fast|mph",
    "NUM:temp": "temperature|degrees|hot|cold",
    "NUM:volsize": "how (big|large)|size|volume|gallon",
    "NUM:weight": "weigh|weight|pounds|heavy",
}


def trec_fine() -> WeakMatrix:
    """WRENCH's coarse rules and one written rule a fine class, on the tree 6 -> 50."""
    records = _trec_records()
    fine = sorted({str(r["fine"]) for r in records})
    tree = [{c: {"task": f"fine {c}", "labels": [f for f in fine if f.startswith(c)]}} for c in COARSE]
    schema = mw.TaskSchema.from_dict({"task": "coarse", "labels": tree})
    rules = [
        (f"fine {label.split(':')[0]}", label, pattern if "^" in pattern else rf"\b({pattern})")
        for label, pattern in _FINE_WORDS.items()
    ]
    texts = [str(r["text"]) for r in records]
    written = pattern_votes(texts, schema, rules)
    coarse = _trec_coarse_codes(records)
    codes = np.concatenate([coarse, written.codes], axis=1)
    tasks = ["coarse"] * coarse.shape[1] + list(written.tasks)
    votes = mw.LabelMatrix(codes, schema, tasks)
    gold = schema.end_codes([str(r["fine"]) for r in records])
    split = np.array([_SPLITS[str(r["split"])] for r in records])
    note = "coarse rules are WRENCH's, fine ones ours"
    return WeakMatrix("trec_fine", votes, gold, split, "written", note, texts=texts)


def _wrench(name: str) -> WeakMatrix:
    codes, gold, split, texts = [], [], [], []
    for part in ("train", "valid", "test"):
        rows = json.loads(data_folder("wrench", name, f"{part}.json").read_text(encoding="utf-8"))
        for row in rows.values():
            codes.append(row["weak_labels"])
            gold.append(row["label"])
            split.append(_SPLITS[part])
            texts.append(str(row["data"]["text"]))
    votes = mw.LabelMatrix(np.array(codes), mw.TaskSchema.flat(["ham", "spam"]))
    return WeakMatrix(name, votes, np.array(gold), np.array(split), "real", texts=texts)


def youtube() -> WeakMatrix:
    """10 rules on comments, ham or spam."""
    return _wrench("youtube")


def sms() -> WeakMatrix:
    """73 key words on messages, 13 % spam."""
    return _wrench("sms")
