import numpy as np

from clearspot.diffst.estimate.evidence import Evidence, evidence


def test_evidence_tells_measured_from_gap_from_off_tissue(spot_operator, spot_grid):
    tissue = np.zeros(spot_grid.shape, dtype=bool)
    tissue[:, : spot_grid.n_cols // 2] = True

    codes = evidence(spot_operator, spot_grid, tissue)

    covered = np.asarray(spot_operator.sum(axis=0)).reshape(spot_grid.shape)
    assert codes.dtype == np.uint8
    assert (codes[covered >= 0.5] == Evidence.MEASURED).all()
    assert (codes[(covered < 0.5) & tissue] == Evidence.GAP).all()
    assert (codes[(covered < 0.5) & ~tissue] == Evidence.OFF_TISSUE).all()
    # 55 um disks 100 um apart leave most of a section unmeasured: pi/4 * 55^2 of every sqrt(3)/2 * 100^2.
    assert (codes[:, : spot_grid.n_cols // 2] == Evidence.GAP).mean() > 0.6
