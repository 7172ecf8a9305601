import numpy as np

from clearspot.diffst.data.tissue import tissue_from_spots


def test_tissue_near_spots_has_no_holes_and_ends_at_the_reach(spots_px, spot_grid):
    tissue = tissue_from_spots(spots_px, spot_grid, 75.0)

    centres = spot_grid.centres_px()
    low, high = spots_px.min(axis=0) + 40, spots_px.max(axis=0) - 40
    interior = ((centres > low) & (centres < high)).all(axis=1).reshape(spot_grid.shape)
    assert tissue[interior].all()
    far = np.linalg.norm(centres[:, None] - spots_px, axis=2).min(axis=1) > 75 * 0.5
    assert not tissue.ravel()[far].any()
