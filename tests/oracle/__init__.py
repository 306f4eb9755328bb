"""What the results are held against: NumPy, pydicom, pyarrow and python-flint only, no line shared with the product.

- `scan`: a folder of DICOM -> the matrix `A` and its exact Gram matrix.
- `result`: a result folder -> `s`, `V`, `U`, manifest.
- `enclosure`: the eigenpairs of an integer matrix with proven error bounds, in ball arithmetic.
- `spectrum`: eigenvalues with their multiplicities, from the characteristic polynomial, at any distance.
- `certificate`: is a whole certified result right, with all that is equal or lies exactly on a border?
- `rounding`: are given floats the correctly rounded singular values and vectors? Proven entry by entry.
- `ratios`: LAPACK's residual ratios.
- `basis`: one entry of `U`, operation by operation as its definition says.
"""
