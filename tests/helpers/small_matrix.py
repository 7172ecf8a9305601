"""A matrix of three barcodes and four genes, as both formats hold it."""

import h5py
import numpy as np

from tests.helpers.outs_factory import make_features

COUNTS = np.array([[0, 2, 0, 1], [3, 0, 0, 0], [0, 0, 0, 0]])
BARCODES = ["AAAC-1", "AAAG-1", "AAAT-1"]
FEATURES = make_features(4)


def edit(path, **datasets):
    """Replace datasets of the matrix group; None removes one."""
    with h5py.File(path, "r+") as h5:
        for name, values in datasets.items():
            del h5[f"matrix/{name}"]
            if values is not None:
                h5[f"matrix/{name}"] = values
