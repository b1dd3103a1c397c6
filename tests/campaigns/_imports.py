"""All that a command may import, for the server of the children to have imported before."""

import metalwork.cli._run
import metalwork.end_models
import metalwork.pipeline._steps
import metalwork.report  # noqa: F401
