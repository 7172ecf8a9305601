"""What the layers take from PyTorch Geometric, imported without the notices it makes PyTorch print."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=FutureWarning)
    from torch_geometric.utils import softmax, spmm

__all__ = ["softmax", "spmm"]
