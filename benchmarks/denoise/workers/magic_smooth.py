"""Runs in the other environment: smooth with MAGIC's operator.

python magic_smooth.py IN.npz OUT.npz
"""

import sys

import magic
import numpy as np

given = np.load(sys.argv[1])
operator = magic.MAGIC(knn=int(given["neighbours"]), n_jobs=1, random_state=int(given["seed"]), verbose=0)
operator.fit(given["log"])
diffusion = operator.graph.diff_op
smoothed = {}
log, rates = given["log"], given["rates"]
for time in range(1, int(given["times"].max()) + 1):
    log, rates = np.asarray(diffusion @ log), np.asarray(diffusion @ rates)
    if time in given["times"]:
        smoothed[f"log{time}"] = log.astype(np.float32)
        smoothed[f"rates{time}"] = rates.astype(np.float32)
np.savez(sys.argv[2], **smoothed)
