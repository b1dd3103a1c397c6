"""``metalwork apply --dry-run``: what language models would be asked, with nothing sent and nothing written."""

from pathlib import Path

from tests.cli.test_commands import metalwork

PROJECT = """\
schema: {task: kind, labels: [ham, spam]}
data: {train: train.jsonl, dev: train.jsonl}
lfs:
  rules:
    - {task: kind, llm: {model: small, base_url: 'http://127.0.0.1:9', cache: kept.sqlite, prices: [1000, 2000]}}
    - {task: kind, label: ham, keywords: [hello]}
features: {text: text}
"""


def test_calls_tokens_and_cost_are_counted_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "project.yaml"
    path.write_text(PROJECT)
    texts = ("hello", "win a prize", "hello")
    (tmp_path / "train.jsonl").write_text("".join(f'{{"text": "{text}", "label": "ham"}}\n' for text in texts))
    result = metalwork("apply", path, "--dry-run")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    rows = [line for line in lines if line[:1] == ["small"]]
    assert [row[:5] for row in rows] == [["small", "train", "3", "0", "2"], ["small", "dev", "3", "0", "2"]]
    assert 150 < int(rows[0][5]) < 300
    assert 0.2 < float(rows[0][7]) < 0.4
    assert lines[-1][:3] == ["Nothing", "was", "sent."]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["project.yaml", "train.jsonl"]


def test_a_project_without_a_language_model(tmp_path: Path) -> None:
    folder = tmp_path / "tickets"
    metalwork("init", folder)
    result = metalwork("apply", folder / "project.yaml", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "No labeling function asks a language model.\n")
