"""Whether a section's image features are those that a model learned from."""

from __future__ import annotations

from clearspot.diffst.image.histology import Histology
from clearspot.learning.checkpoint_file import CheckpointError


def encoder_words(name: str) -> str:
    """A name of :attr:`Histology.encoder` in a sentence."""
    return f"the image encoder {name}" if name else "no image encoder"


def require_same_features(histology: Histology, n_features: int, encoder: str) -> None:
    """Refuse image features that a model has not learned from.

    Parameters
    ----------
    histology
        Of the section.
    n_features, encoder
        Of the model.

    Raises
    ------
    CheckpointError
        If their number or the image encoder differs.
    """
    if histology.encoder != encoder:
        there, here = encoder_words(encoder), encoder_words(histology.encoder)
        mend = "set image_encoder to that folder" if encoder else "leave image_encoder out"
        raise CheckpointError(
            f"the model was trained with {there}, but the features of the section have {here}: {mend}"
        )
    if histology.n_features != n_features:
        found = f"{n_features} image features, and the section has {histology.n_features}"
        raise CheckpointError(f"the model was trained with {found}")
