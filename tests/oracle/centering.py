"""A matrix without the means of its rows (pixels), of its columns (slices), or of both, over the rationals."""

from fractions import Fraction


def centered_gram(gram, sums, rows, means):
    """`B^T B` times a divisor, as integers, and the divisor: `gram` is `A^T A` (n x n), `sums` are the sums of the n columns of `A`."""
    n = len(gram)
    gram = [[Fraction(int(v)) for v in row] for row in gram]
    divisor = 1
    if means in ("slices", "both"):
        sums = [Fraction(int(v)) for v in sums]
        gram = [[gram[i][j] - sums[i] * sums[j] / rows for j in range(n)] for i in range(n)]
        divisor *= rows
    if means in ("pixels", "both"):
        of_row = [sum(row) / n for row in gram]
        of_all = sum(of_row) / n
        gram = [[gram[i][j] - of_row[i] - of_row[j] + of_all for j in range(n)] for i in range(n)]
        divisor *= n * n
    scaled = [[v * divisor for v in row] for row in gram]
    assert all(v.denominator == 1 for row in scaled for v in row)
    return [[int(v) for v in row] for row in scaled], divisor


def centered_row(row, sums, rows, means):
    """The row of `A` (n) less its means, each entry rounded once; and what was removed, (of the row, of each column)."""
    n = len(row)
    row = [Fraction(v) for v in row]
    of_columns = [Fraction(v) / rows for v in sums]
    of_row = sum(row) / n if means in ("pixels", "both") else Fraction(0)
    if means == "pixels":
        of_columns = [Fraction(0)] * n
    if means == "both":
        of_all = sum(of_columns) / n
        of_columns = [v - of_all for v in of_columns]
    return [float(v - of_row - c) for v, c in zip(row, of_columns, strict=True)], (of_row, of_columns)
