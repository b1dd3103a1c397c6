"""CLINC150 with labeling functions read off the names of its intents and domains, nothing else."""

import json
import re
from collections import defaultdict

import numpy as np

import metalwork as mw
from _matrices._weak import DEV, TEST, TRAIN, WeakMatrix, pattern_votes
from _matrices._wrench import data_folder

_STOP = {"a", "an", "the", "is", "are", "was", "do", "does", "you", "your", "my", "me", "i", "we", "to", "of",
    "from", "for", "in", "on", "who", "what", "how", "when", "can", "if", "made", "401k"}  # fmt: skip
_DOMAIN_WORDS = {
    "banking": "bank", "credit_cards": "credit", "kitchen_and_dining": "restaurant|food|dinner",
    "home": "home|house",
    "auto_and_commute": "car|drive", "travel": "travel|trip|flight", "utility": "phone", "work": "work|boss|pay",
    "small_talk": "you", "meta": "settings|mode",
}  # fmt: skip
Rules = list[tuple[str, str, str]]


def _records() -> tuple[list[str], list[str], np.ndarray, dict[str, list[str]]]:
    data = json.loads(data_folder("clinc150", "data_full.json").read_text(encoding="utf-8"))
    domains = json.loads(data_folder("clinc150", "domains.json").read_text(encoding="utf-8"))
    texts, intents, split = [], [], []
    for part, code in (("train", TRAIN), ("val", DEV), ("test", TEST)):
        texts += [text for text, _ in data[part]]
        intents += [intent for _, intent in data[part]]
        split += [code] * len(data[part])
    return texts, intents, np.array(split), domains


def _content(name: str) -> list[str]:
    return [w for w in name.split("_") if w not in _STOP and len(w) > 1] or name.split("_")


def _word(word: str) -> str:
    stem = re.sub(r"(ing|es|s|e)$", "", word) if len(word) > 4 else word
    return rf"\b{re.escape(stem)}\w*" if len(word) > 3 else rf"\b{re.escape(word)}\b"


def _where(domains: dict[str, list[str]]) -> dict[str, set[tuple[str, str]]]:
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for domain, intents in domains.items():
        for intent in intents:
            for word in _content(intent):
                places[word].add((domain, intent))
    return places


def _intent_rules(domains: dict[str, list[str]], task: str | None = None) -> Rules:
    """A word that one intent alone is named by votes for it; so do all words of a longer name together."""
    rules: Rules = []
    for word, places in sorted(_where(domains).items()):
        if len(places) == 1:
            domain, intent = next(iter(places))
            rules.append((task or domain, intent, _word(word)))
    for domain, intents in domains.items():
        for intent in intents:
            if len(parts := _content(intent)) > 1:
                rules.append((task or domain, intent, "".join(rf"(?=.*{_word(p)})" for p in parts)))
    return rules


def _domain_rules(domains: dict[str, list[str]], shared_only: bool) -> Rules:
    """A word that names intents of one domain alone votes for the domain."""
    rules: Rules = []
    for word, places in sorted(_where(domains).items()):
        if len({domain for domain, _ in places}) == 1 and (len(places) > 1 or not shared_only):
            rules.append(("domain", next(iter(places))[0], _word(word)))
    return rules + [("domain", domain, rf"\b({pattern})\b") for domain, pattern in _DOMAIN_WORDS.items()]


def clinc_tree() -> WeakMatrix:
    """150 intents under 10 domains; rules at both levels."""
    texts, intents, split, domains = _records()
    schema = mw.TaskSchema.from_dict(
        {"task": "domain", "labels": [{d: {"task": d, "labels": list(names)}} for d, names in domains.items()]}
    )
    votes = pattern_votes(texts, schema, _domain_rules(domains, True) + _intent_rules(domains))
    return WeakMatrix(
        "clinc_tree", votes, schema.end_codes(intents), split, "written", "LFs from names only", texts=texts
    )


def clinc_flat() -> WeakMatrix:
    """150 intents without the tree."""
    texts, intents, split, domains = _records()
    schema = mw.TaskSchema.flat([i for names in domains.values() for i in names], task="intent")
    votes = pattern_votes(texts, schema, _intent_rules(domains, "intent"))
    return WeakMatrix(
        "clinc_flat", votes, schema.end_codes(intents), split, "written", "LFs from names only", texts=texts
    )


def clinc_domain() -> WeakMatrix:
    """10 domains, one rule a word."""
    texts, intents, split, domains = _records()
    schema = mw.TaskSchema.flat(list(domains), task="domain")
    votes = pattern_votes(texts, schema, _domain_rules(domains, False))
    home = {intent: domain for domain, names in domains.items() for intent in names}
    gold = schema.end_codes([home[i] for i in intents])
    return WeakMatrix("clinc_domain", votes, gold, split, "written", "LFs from names only", texts=texts)


def clinc_banking() -> WeakMatrix:
    """The 15 banking intents alone."""
    texts, intents, split, domains = _records()
    names = domains["banking"]
    keep = np.flatnonzero(np.isin(intents, names))
    schema = mw.TaskSchema.flat(list(names), task="intent")
    texts = [texts[i] for i in keep]
    votes = pattern_votes(texts, schema, _intent_rules({"banking": names}, "intent"))
    gold = schema.end_codes([intents[i] for i in keep])
    return WeakMatrix("clinc_banking", votes, gold, split[keep], "written", "LFs from names only", texts=texts)
