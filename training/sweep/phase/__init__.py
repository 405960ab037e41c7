"""Phase diagrams: where in the plane of two settings a measure crosses a level.

points    the cells of a sweep as points of the plane, with a measure of every seed
surface   the measure between the points, and where it crosses the level
refining  which cells to add, so that the crossing is drawn more exactly
drawing   heat map and contour
files     PNG, CSV and TensorBoard
"""
