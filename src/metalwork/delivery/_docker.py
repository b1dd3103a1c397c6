"""A Dockerfile that serves a model."""

import re
from pathlib import Path
from string import Template
from typing import Final

from metalwork._files import write_text
from metalwork.errors import ConfigError

_TEMPLATE: Final = Template("""\
# Serves $model. Build it in the folder that holds $folder and a wheel of metalwork:
#   pip wheel --no-deps --wheel-dir . PATH_OF_METALWORK
#   docker build --file $file --tag $tag .
#   docker run --rm --publish 127.0.0.1:8000:8000 $tag
FROM python:3.12-slim

RUN useradd --create-home metalwork
WORKDIR /app
COPY metalwork-*.whl ./
# torch by its exact version from the index of CPU builds: others bring gigabytes of CUDA
RUN pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu \\
 && pip install --no-cache-dir "$$(ls metalwork-*.whl)[train,serve]"
COPY $folder /model
USER metalwork
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=3)"
# any host may ask inside the container; who reaches it is for --publish, or a proxy, to say
CMD ["metalwork", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]
""")


def write_dockerfile(run: Path, path: Path, name: str) -> None:
    """Write a Dockerfile for the model in the folder ``run``; ``ConfigError`` where there is a file already."""
    if path.exists():
        raise ConfigError(f"{path} must be a new file; there is one already. Name another, or remove it.")
    folder = run.resolve().name
    tag = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "model"
    write_text(path, _TEMPLATE.substitute(model=" ".join(name.split()), folder=folder, file=path.name, tag=tag))
