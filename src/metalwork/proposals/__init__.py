"""Learned schemas: a tree proposed over flat end labels, and judged by votes."""

from metalwork._public import offer
from metalwork.proposals._evidence import Evidence
from metalwork.proposals._proposal import SchemaProposal
from metalwork.proposals._propose import propose_schema

__all__ = ["Evidence", "SchemaProposal", "propose_schema"]

offer(__name__, globals())
