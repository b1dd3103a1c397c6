"""Sentence encoders, for weak sources, inputs and proposals alike: texts in, unit vectors out."""

from metalwork._public import offer
from metalwork.encoders._digest import encoder_digest
from metalwork.encoders._encoder import Encoder, Vectors, as_encoder, encode_texts, load_encoder, unit
from metalwork.encoders._kept import encode_kept

__all__ = [
    "Encoder",
    "Vectors",
    "as_encoder",
    "encode_kept",
    "encode_texts",
    "encoder_digest",
    "load_encoder",
    "unit",
]

offer(__name__, globals())
