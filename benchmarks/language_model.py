"""Language models as labeling functions: what they add to rules, what they cost, how fast they are asked.

    python benchmarks/language_model.py weigh --matrices FOLDER   # what `python -m _matrices FOLDER` wrote
    python benchmarks/language_model.py cost                      # tokens a 1,000 records, by length of the texts
    python benchmarks/language_model.py speed                     # calls a second, to an endpoint on this machine
    python benchmarks/language_model.py tokens --matrices FOLDER  # the estimate of tokens against a real tokenizer

No language model runs here: ``weigh`` simulates one that is right on a given share of the records. Where it is
wrong, it takes another label by its share among the records; of a tree, in half of the cases one with the same
parent. Its soft votes say 0.5 to 1, more where it is right; "too sure" ones are half as far from 1. "Twice" adds
a second prompt, which errs on 80 % of the records by what the first one says.
"""

import argparse
import gzip
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.sources._llm._tokens import count_tokens

Codes = npt.NDArray[np.int64]
_SETS = ("agnews", "finbank", "massive_tree")


class Set:
    """Rules' votes on one data set, with the labels that a simulated language model nearly knows."""

    def __init__(self, path: Path) -> None:
        file = np.load(path, allow_pickle=False)
        self.meta = json.loads(bytes(file["meta"]))
        declared = self.meta["schema"]
        self.schema = mw.TaskSchema.from_dict(declared) if declared else mw.TaskSchema.flat(self.meta["labels"])
        self.known = file["gold"] >= 0
        self.gold: Codes = file["gold"][self.known].astype(np.int64)
        self.rules = file["codes"][self.known].astype(np.int64)
        self.tasks = list(self.meta["tasks"] or [self.schema.root] * self.rules.shape[1])
        self.texts = json.loads(gzip.decompress(bytes(file["texts"]))) if "texts" in file else []

    def fitted(self, *more: mw.LabelMatrix) -> mw.TaskProbabilities:
        """What the label model makes of the rules and more."""
        votes = mw.LabelMatrix.beside([mw.LabelMatrix(self.rules, self.schema, self.tasks), *more])
        model = mw.HierarchicalLabelModel(self.schema, random_state=0).fit(votes)
        return model.predict_proba(votes)

    def score(self, *more: mw.LabelMatrix) -> str:
        """Accuracy, and the mean negative log probability of the gold label."""
        shares = self.fitted(*more).end
        loss = -np.log(np.maximum(shares[np.arange(len(self.gold)), self.gold], 1e-9)).mean()
        return f"{100 * (shares.argmax(axis=1) == self.gold).mean():.1f} ({loss:.2f})"

    def answers(self, accuracy: float, rng: np.random.Generator, like: Codes | None = None) -> Codes:
        """End labels that a model of this accuracy answers; ``like``: it errs mostly where another one did."""
        n = len(self.gold)
        errs = rng.random(n) > accuracy
        if like is not None:
            errs = np.where(rng.random(n) < 0.8, like != self.gold, errs)
        share = np.bincount(self.gold, minlength=self.schema.n_end_labels).astype(float)
        found = self.gold.copy()
        top = self.schema.task_codes[:, 0]
        for row in np.flatnonzero(errs):
            weight = share.copy()
            weight[self.gold[row]] = 0.0
            near = weight * (top == top[self.gold[row]])
            weight = near if self.schema.n_tasks > 1 and rng.random() < 0.5 and near.sum() else weight
            found[row] = rng.choice(len(weight), p=weight / weight.sum())
        if like is not None:
            same = errs & (like != self.gold)
            found[same] = like[same]
        return found

    def votes(self, answers: Codes, name: str, levels: str = "all") -> mw.LabelMatrix:
        """Votes on the tasks of the path; ``levels="last"``: on the last of them alone."""
        codes = self.schema.task_codes[answers].copy()
        codes[codes < 0] = -1
        if levels == "last":
            deepest = codes.shape[1] - 1 - (codes[:, ::-1] >= 0).argmax(axis=1)
            codes[np.arange(codes.shape[1]) != deepest[:, None]] = -1
        tasks = list(self.schema.tasks)
        return mw.LabelMatrix(codes, self.schema, tasks, [f"{name}[{task}]" for task in tasks])

    def soft(self, answers: Codes, rng: np.random.Generator, too_sure: bool) -> mw.LabelMatrix:
        """Soft votes of one task, surer where it is right."""
        right = answers == self.gold
        sure = np.where(right, rng.beta(5, 1.2, len(answers)), rng.beta(2, 2, len(answers))) / 2 + 0.5
        sure = (1 + sure) / 2 if too_sure else sure
        k = self.schema.n_end_labels
        shares = np.repeat(((1 - sure) / (k - 1))[:, None], k, axis=1)
        shares[np.arange(len(answers)), answers] = sure
        return mw.LabelMatrix.from_soft([shares], self.schema, [self.schema.root], ["soft"])


def weigh(folder: Path) -> None:
    """Accuracy in % (and log loss) of the label model, the model's answers beside the rules."""
    print("| set | model right | rules | model | both | path's last label | soft | soft, too sure | twice |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in _SETS:
        data = Set(folder / f"{name}.npz")
        for accuracy in (0.6, 0.75, 0.9):
            rng = np.random.default_rng(0)
            first = data.answers(accuracy, rng)
            both = data.votes(first, "llm")
            flat = data.schema.n_tasks == 1
            cells = [
                data.score(),
                f"{100 * (first == data.gold).mean():.1f}",
                data.score(both),
                "" if flat else data.score(data.votes(first, "llm", "last")),
                data.score(data.soft(first, rng, too_sure=False)) if flat else "",
                data.score(data.soft(first, rng, too_sure=True)) if flat else "",
                data.score(both, data.votes(data.answers(accuracy, rng, first), "again")),
            ]
            print(f"| {name} | {accuracy:.0%} | " + " | ".join(cells) + " |")


def cost() -> None:
    """Estimated tokens of 1,000 records, by words of a record and number of labels."""
    words = (Path(__file__).parents[1] / "docs" / "concepts.md").read_text(encoding="utf-8").split()
    print("| words a record | 2 labels | 10 labels | 50 labels, in a tree |")
    print("|---|---|---|---|")
    trees = [
        (mw.TaskSchema.flat(["ham", "spam"]), "label"),
        (mw.TaskSchema.flat([f"department {i}" for i in range(10)]), "label"),
        (mw.TaskSchema.from_dict({"task": "top", "labels": [_branch(i) for i in range(10)]}), None),
    ]
    for length in (20, 100, 300, 1000):
        texts = [" ".join(words[i % 3000 : i % 3000 + length]) + f" {i}" for i in range(1000)]
        cells = []
        for schema, task in trees:
            with TemporaryDirectory() as folder:
                lf = mw.llm(task, "m", "http://127.0.0.1:9/v1", cache=Path(folder) / "a", name="m")
                found = lf.dry_run([{"text": text} for text in texts], schema)
            cells.append(f"{found.prompt_tokens:,} + {found.answer_tokens:,}")
        print(f"| {length} | " + " | ".join(cells) + " |")


def speed(n_records: int, wait: float) -> None:
    """Records a second: asked, and answered from what is kept."""
    texts = [{"text": f"record number {i} of those that are asked about"} for i in range(n_records)]
    schema = mw.TaskSchema.flat(["ham", "spam"], task="kind")
    with TemporaryDirectory() as folder, _endpoint(wait) as url:
        for concurrency in (1, 8, 32):
            lf = mw.llm("kind", "m", url, cache=Path(folder) / str(concurrency), concurrency=concurrency)
            seconds, used = [], []
            for _ in range(2):
                start, cpu = time.perf_counter(), time.process_time()
                mw.apply([lf], texts, schema)
                seconds.append(time.perf_counter() - start)
                used.append(1000 * (time.process_time() - cpu) / n_records)
            asked, kept = (
                f"{n_records / wall:,.0f} records/s ({ms:.2f} ms CPU each)"
                for wall, ms in zip(seconds, used, strict=True)
            )
            print(f"{concurrency:3} at a time: {asked} asked, {kept} kept")


def tokens(folder: Path) -> None:
    """The estimate divided by what a tokenizer of Mistral's counts, of all texts; and the mean error of a text."""
    import mistral_common
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    files = sorted((Path(mistral_common.__file__).parent / "data").glob("tekken*.json"))
    tokenizer = Tekkenizer.from_file(files[-1])
    sets = {name: Set(folder / f"{name}.npz").texts[:2000] for name in (*_SETS, "norec")}
    sets["docs"] = [path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].glob("docs/*.md")]
    for name, texts in sets.items():
        true = np.array([len(tokenizer.encode(text, bos=False, eos=False)) for text in texts], dtype=float)
        found = np.array([count_tokens(text) for text in texts], dtype=float)
        error = np.abs(found / np.maximum(true, 1) - 1).mean()
        print(
            f"{name}: {true.mean():.0f} tokens a text, estimate / true {found.sum() / true.sum():.2f}, "
            f"mean error of a text {error:.0%}"
        )


def _branch(i: int) -> dict[str, Any]:
    return {f"division {i}": {"task": f"task {i}", "labels": [f"team {i}{j}" for j in range(5)]}}


@contextmanager
def _endpoint(wait: float) -> Iterator[str]:
    """The address of an endpoint, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_serve, args=(wait, queue), daemon=True)
    process.start()
    try:
        yield queue.get(timeout=60)
    finally:
        process.terminate()
        process.join()


def _serve(wait: float, queue: Any) -> None:
    """Answer "ham" after so many seconds, each time."""
    message = {"role": "assistant", "content": '{"label": "ham"}'}
    answer = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(wait)
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    queue.put(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.serve_forever()


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["weigh", "cost", "speed", "tokens"])
    parser.add_argument("--matrices", type=Path, default=Path("matrices"))
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--wait", type=float, default=0.05, help="seconds that the endpoint takes to answer")
    options = parser.parse_args()
    if options.part in ("weigh", "tokens"):
        (weigh if options.part == "weigh" else tokens)(options.matrices)
    elif options.part == "cost":
        cost()
    else:
        speed(options.records, options.wait)


if __name__ == "__main__":
    main()
