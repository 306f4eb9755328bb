"""A matrix is the same matrix in every format: Parquet as pyarrow and Spark write it, NIfTI as nibabel does, and text. The root digest
is that of the same numbers as NumPy's `.npy`, and what is no such matrix is refused in one line."""

import gzip
import io
import json

import nibabel
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from running import tomobasis


def random(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


def run(path, out, form, *options):
    return tomobasis("decompose", "--input-format", form, "--input", path, "--output", out, *options)


@pytest.fixture
def root(tmp_path):
    """The root digest of a file, in a format."""
    made = iter(range(100))

    def of(path, form, *options):
        out = tmp_path / f"out{next(made)}"
        done = run(path, out, form, "--emit", "parquet", *options)
        assert done.code == 0, done.err
        return json.loads((out / "manifest.json").read_text())["digests"]["root"]

    return of


@pytest.fixture
def expected(tmp_path, root):
    """The root digest of a matrix as `.npy`."""

    def of(matrix):
        np.save(tmp_path / "expected.npy", matrix)
        return root(tmp_path / "expected.npy", "npy")

    return of


def columns(a):
    return pa.table({f"c{j}": a[:, j] for j in range(a.shape[1])})


def lists(a, kind=None):
    kind = pa.list_(pa.float64()) if kind is None else kind
    return pa.table({"v": pa.array(a.tolist(), kind)})


VECTOR = pa.struct(
    [("type", pa.int8()), ("size", pa.int32()), ("indices", pa.list_(pa.int32())), ("values", pa.list_(pa.float64()))]
)


def vectors(a, sparse):
    """MLlib's vectors, as VectorUDT stores them; every second one sparse, or none."""

    def one(i, row):
        if sparse and i % 2:
            places = np.flatnonzero(row)
            return {"type": 0, "size": len(row), "indices": places.tolist(), "values": row[places].tolist()}
        return {"type": 1, "size": None, "indices": None, "values": row.tolist()}

    return pa.array([one(i, row) for i, row in enumerate(a)], VECTOR)


def test_columns_lists_and_vectors_in_parquet_are_the_matrix(tmp_path, root, expected):
    a = random(1, (5000, 6))
    a[a < -0.5] = 0
    right = expected(a)
    path = tmp_path / "a.parquet"
    index = pa.array(np.arange(len(a)))
    for name, table, options in [
        ("columns", columns(a), {}),
        ("small row groups", columns(a), {"row_group_size": 700, "compression": "zstd"}),
        ("plain pages", columns(a), {"use_dictionary": False, "data_page_size": 1000, "compression": "gzip"}),
        ("lists", lists(a), {"row_group_size": 1500, "compression": "lz4"}),
        ("lists of one size", lists(a, pa.list_(pa.float64(), 6)), {"compression": "none"}),
        ("large lists", lists(a, pa.large_list(pa.float64())), {}),
        ("dense vectors", pa.table({"features": vectors(a, False)}), {}),
        ("sparse vectors", pa.table({"features": vectors(a, True)}), {"row_group_size": 999}),
        ("indexed rows", pa.table({"index": index, "vector": vectors(a, True)}), {"row_group_size": 999}),
        ("index behind", pa.table({"v": lists(a)["v"], "index": index.cast(pa.int32())}), {}),
    ]:
        pq.write_table(table, path, **options)
        assert root(path, "parquet") == right, name
    one = root(path, "parquet", "--threads", "1")
    assert one == right


def test_parquet_integers_and_float32_are_the_numbers_that_they_are(tmp_path, root, expected):
    rng = np.random.default_rng(2)
    for kind, low, high in [
        ("i1", -128, 128),
        ("u1", 0, 256),
        ("i2", -32768, 32768),
        ("u2", 0, 65536),
        ("i4", -(10**9), 10**9),
    ]:
        a = rng.integers(low, high, (300, 5)).astype(kind)
        pq.write_table(columns(a), tmp_path / "a.parquet")
        assert root(tmp_path / "a.parquet", "parquet") == expected(a), kind
    a = rng.integers(-(2**53), 2**53, (50, 3))
    pq.write_table(lists(a, pa.list_(pa.int64())), tmp_path / "a.parquet")
    assert root(tmp_path / "a.parquet", "parquet") == expected(a)
    a = random(3, (300, 5)).astype("f4")
    pq.write_table(columns(a), tmp_path / "a.parquet")
    assert root(tmp_path / "a.parquet", "parquet") == expected(a)
    # A column each of a type of its own.
    mixed = {"a": a[:, 0], "b": np.arange(300, dtype="u2"), "c": np.arange(300, dtype="i8") - 9}
    pq.write_table(pa.table(mixed), tmp_path / "a.parquet")
    whole = np.column_stack([mixed[name].astype("f8") for name in mixed])
    assert root(tmp_path / "a.parquet", "parquet") == expected(whole)


def test_part_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path, root, expected):
    a = random(4, (5000, 3))
    folder = tmp_path / "parts"
    folder.mkdir()
    for part, (first, last) in enumerate([(0, 10), (10, 10), (10, 4500), (4500, 5000)]):
        pq.write_table(columns(a[first:last]), folder / f"part-{part:05d}-x.snappy.parquet")
        (folder / f".part-{part:05d}-x.snappy.parquet.crc").write_bytes(b"crc")
    (folder / "_SUCCESS").touch()
    assert root(folder, "parquet") == expected(a)
    done = run(folder, tmp_path / "told", "parquet")
    assert done.code == 0 and "5 files were not read" in done.err, done.err
    text = tmp_path / "text"
    text.mkdir()
    for part, rows in enumerate([a[:1], a[1:4999], a[4999:]]):
        np.savetxt(text / f"part-{part:05d}", rows, fmt="%.17g", delimiter=",")
    assert root(text, "text") == expected(a)


def saved_image(path, values, **header):
    """An image as nibabel saves it, with its numbers as they are stored, and a scale."""
    image = nibabel.Nifti2Image if header.pop("second", False) else nibabel.Nifti1Image
    made = image(values, np.eye(4))
    made.header.set_slope_inter(header.get("slope", 1), header.get("inter", 0))
    if header.get("swapped"):
        made.header._structarr = made.header.as_byteswapped(">")._structarr
        made = image(values.astype(values.dtype.newbyteorder(">")), np.eye(4), made.header)
    nibabel.save(made, path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_of_nifti_images_are_columns_as_nibabel_reads_them(tmp_path, root, expected, name):
    rng = np.random.default_rng(5)
    path = tmp_path / name
    for kind in ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"]:
        low, high = (0, 200) if kind.endswith("1") and kind[0] == "u" else (-100, 100)
        values = (
            rng.standard_normal((9, 7, 5))
            if kind[0] == "f"
            else rng.integers(max(low, 0) if kind[0] == "u" else low, high, (9, 7, 5))
        ).astype(kind)
        for second in [False, True]:
            saved_image(path, values, second=second)
            numbers = np.asanyarray(nibabel.load(path).dataobj)
            assert root(path, "nifti") == expected(numbers.reshape(-1, 5, order="F")), (kind, second)


def test_scales_orders_and_volumes_of_nifti_are_nibabels(tmp_path, root, expected):
    rng = np.random.default_rng(6)
    path = tmp_path / "a.nii"
    values = rng.integers(-1000, 3000, (6, 5, 4, 3)).astype("i2")
    for header in [{"slope": 1, "inter": -1024}, {"slope": 0.0137, "inter": 3.7}, {"slope": 2.5}, {"swapped": True}]:
        for second in [False, True]:
            raw = path.with_suffix(".raw.nii")
            image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image)(values, np.eye(4))
            endian = ">" if header.get("swapped") else "<"
            written = image.header.as_byteswapped(endian)
            written.set_data_shape(values.shape)
            written["scl_slope"], written["scl_inter"] = header.get("slope", np.nan), header.get("inter", 0)
            written["vox_offset"] = start = 544 if second else 352
            head = written.binaryblock
            raw.write_bytes(head + bytes(start - len(head)) + values.astype(endian + "i2").tobytes(order="F"))
            numbers = nibabel.load(raw).get_fdata()
            assert root(raw, "nifti") == expected(numbers.reshape(-1, 3, order="F")), (header, second)
    # Dimensions of one at the end do not count.
    saved_image(path, values[:, :, :, :1])
    assert root(path, "nifti") == expected(values[:, :, :, 0].reshape(-1, 4, order="F"))


def test_text_is_read_to_the_nearest_float64(tmp_path, root, expected):
    a = random(7, (5000, 4)) * 10.0 ** np.random.default_rng(8).integers(-9, 9, (5000, 4))
    path = tmp_path / "s.csv"
    right = expected(a)
    for name, text in [
        ("commas", "\n".join(",".join(map(repr, row)) for row in a.tolist())),
        ("blanks", "\n".join("  ".join(map(repr, row)) + " " for row in a.tolist()) + "\n"),
        ("tabs and CRLF", "\r\n".join("\t".join(map(repr, row)) for row in a.tolist()) + "\r\n"),
        ("more digits", "\n".join(", ".join(f"{x:.40e}" for x in row) for row in a.tolist())),
    ]:
        path.write_bytes(text.encode())
        assert root(path, "text") == right, name
    pixels = np.random.default_rng(9).integers(-1024, 3000, (4100, 5))
    np.savetxt(path, pixels, fmt="%d", delimiter=",")
    assert root(path, "text") == expected(pixels.astype("i2"))


def test_results_of_every_format_are_verified(tmp_path):
    a = random(10, (200, 4))
    pq.write_table(columns(a), tmp_path / "a.parquet")
    np.savetxt(tmp_path / "a.csv", a, fmt="%.17g", delimiter=",")
    saved_image(tmp_path / "a.nii.gz", a.reshape(20, 10, 4))
    for name, form in [("a.parquet", "parquet"), ("a.csv", "text"), ("a.nii.gz", "nifti")]:
        out = tmp_path / form
        done = run(tmp_path / name, out, form)
        assert done.code == 0, done.err
        assert json.loads((out / "manifest.json").read_text())["parameters"]["input_format"] == form
        assert tomobasis("verify", out, "--input", tmp_path / name).code == 0


def parquet(table, **options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


def nifti(**fields):
    image = nibabel.Nifti1Image(np.arange(24, dtype="i2").reshape(2, 3, 4), np.eye(4))
    data = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(data[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    data[:348] = header.binaryblock
    return bytes(data)


ONES = np.ones((5, 3))
NAN = ONES * [[1], [2], [np.nan], [4], [5]]
GOOD = parquet(columns(random(11, (2000, 3))), compression="none", use_dictionary=False)
RAGGED = pa.table({"v": pa.array([[1.0, 2.0], [3.0]])})


def vector(**parts):
    return pa.table({"v": pa.array([{"type": 0, "size": 3, "indices": [0, 2], "values": [1.0, 2.0]} | parts], VECTOR)})


def with_flipped_bit(data, place):
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def checked_pages():
    """A file whose pages have checksums, with a bit of a number flipped."""
    numbers = random(13, 50)
    data = parquet(pa.table({"a": numbers}), compression="none", use_dictionary=False, write_page_checksum=True)
    return with_flipped_bit(data, data.index(numbers[10].tobytes()))


def frame(index):
    sink = io.BytesIO()
    pandas.DataFrame({"x": [1.5, 2.5]}, index=index).to_parquet(sink)
    return sink.getvalue()


NAMED = pandas.Index([100, 103], name="patient")
GZIP = gzip.compress(nifti())
REFUSED = {
    "parquet": {
        "nothing": (b"", "no Parquet file"),
        "another format": (b"PAR1" + bytes(100), "no Parquet file"),
        "truncated": (GOOD[:-1], "no Parquet file"),
        "cut in the middle": (GOOD[:1000] + GOOD[30000:], "damaged"),
        "strings": (parquet(pa.table({"a": [1.0], "b": ["x"]})), "its column `b` is no column of numbers"),
        "booleans": (parquet(pa.table({"a": [True, False]})), "its column `a` is no column of numbers"),
        "half": (parquet(pa.table({"a": np.ones(3, "f2")})), "its column `a` is no column of numbers"),
        "pandas' index": (parquet(pa.table({"a": [1.0], "__index_level_0__": [5]})), "is pandas' index"),
        "pandas' index with a name": (frame(NAMED), "its column `patient` is pandas' index"),
        "durations": (parquet(pa.table({"t": pa.array([1, 2], pa.duration("s"))})), "its column `t` has durations"),
        "lists of durations": (
            parquet(pa.table({"t": pa.array([[1, 2]], pa.list_(pa.duration("ms")))})),
            "its column `t` has durations",
        ),
        "a page with another checksum": (checked_pages(), "damaged"),
        "a vector of negative size": (parquet(vector(type=0, size=-3)), "its first row cannot be read"),
        "an index of floats": (
            parquet(pa.table({"index": [0.0], "v": [[1.0]]})),
            "beside its vectors it has the column `index`",
        ),
        "an index beyond float64": (
            parquet(pa.table({"index": [0, 2**53 + 1], "v": [[1.0], [2.0]]})),
            "numbers beyond 2^53",
        ),
        "an index of null": (parquet(pa.table({"index": [0, None], "v": [[1.0], [2.0]]})), "row 2 has the index null"),
        "null": (parquet(pa.table({"a": [1.0, 2.0], "b": [1.0, None]})), "row 2, column 2 is null"),
        "null list": (parquet(pa.table({"a": [[1.0, 2.0], None]})), "row 2 is null"),
        "null in a list": (parquet(pa.table({"a": [[1.0, 2.0], [1.0, None]]})), "row 2, column 2 is null"),
        "ragged": (parquet(RAGGED), "row 2 has 1 numbers, and the first row has 2"),
        "NaN": (parquet(columns(NAN)), "row 3, column 1 is no finite number"),
        "large integers": (parquet(pa.table({"a": [1, 2**53 + 1]})), "row 2, column 1 is an integer"),
        "labels": (
            parquet(pa.table({"label": [1.0], "v": [[1.0, 2.0]]})),
            "beside its vectors it has the column `label`",
        ),
        "two vectors": (parquet(pa.table({"u": [[1.0]], "v": [[1.0]]})), "is not the only column of vectors"),
        "another order": (
            parquet(pa.table({"index": [0, 2, 1], "v": [[1.0], [2.0], [3.0]]})),
            "row 2 has the index 2; sort the rows by `index`",
        ),
        "a gap": (parquet(pa.table({"index": [1, 2], "v": [[1.0], [2.0]]})), "row 1 has the index 1"),
        "no rows": (parquet(columns(ONES[:0])), "0 x 3"),
        "a place too far": (parquet(vector(indices=[0, 3])), "row 1 is no vector of MLlib's"),
        "places that descend": (parquet(vector(indices=[2, 0])), "row 1 is no vector of MLlib's"),
        "places without values": (parquet(vector(values=[1.0])), "row 1 is no vector of MLlib's"),
        "another kind of vector": (parquet(vector(type=2)), "row 1 is no vector of MLlib's"),
    },
    "nifti": {
        "nothing": (b"", "no NIfTI file"),
        "another format": (b"x" * 400, "no NIfTI file"),
        "truncated header": (nifti()[:300], "truncated in its header"),
        "truncated": (nifti()[:-1], "it is truncated"),
        "trailing bytes": (nifti() + b"x", "1 bytes behind"),
        "truncated gzip": (gzip.compress(nifti() + bytes(1000), 0)[:380], "gzip stream is damaged or truncated"),
        "damaged gzip": (gzip.compress(nifti())[:60] + b"xxxxxxxxxx", "truncated"),
        "flipped bit in a gzip": (with_flipped_bit(gzip.compress(nifti(), 0), 400), "gzip stream is damaged"),
        "another length of a gzip": (with_flipped_bit(GZIP, len(GZIP) - 1), "gzip stream is damaged"),
        "gzip without its checksum": (GZIP[:-8], "gzip stream is damaged or truncated"),
        "gzip with half its checksum": (GZIP[:-3], "gzip stream is damaged or truncated"),
        "bytes behind a gzip": (GZIP + b"xxxx", "gzip stream"),
        "bytes behind in a gzip": (gzip.compress(nifti() + b"z"), "gzip stream has bytes behind the numbers"),
        "truncated second stream": (GZIP + GZIP[:40], "gzip stream"),
        "two files": (nifti(magic=b"ni1"), "its numbers are in another file"),
        "no image": (nifti(magic=b"xyz"), "no NIfTI file"),
        "colors": (nifti(datatype=128), "of type 128"),
        "complex": (nifti(datatype=32), "of type 32"),
        "two dimensions": (nifti(dim=[2, 2, 12, 1, 1, 1, 1, 1]), "2 dimensions"),
        "five dimensions": (nifti(dim=[5, 2, 3, 2, 1, 2, 1, 1]), "5 dimensions"),
        "a dimension of zero": (nifti(dim=[3, 2, 0, 4, 1, 1, 1, 1]), "dimensions are damaged"),
        "huge": (nifti(dim=[4, 32767, 32767, 32767, 32767, 1, 1, 1]), "it is truncated"),
        "numbers within the header": (nifti(vox_offset=100), "within its header"),
        "an infinite intercept": (nifti(scl_slope=2, scl_inter=np.inf), "scl_inter is inf"),
    },
    "text": {
        "nothing": (b"", "0 x 0"),
        "a name": (b"a,b\n1,2\n", "row 1, column 1 is not a number"),
        "a comment": (b"# 1 2\n1 2\n", "row 1, column 1 is not a number"),
        "an empty field": (b"1,2\n1,\n", "row 2, column 2 is empty"),
        "an empty line": (b"1 2\n\n3 4\n", "row 2 has 0 numbers, and the first row has 2"),
        "ragged": (b"1 2\n3 4 5\n", "row 2 has 3 numbers, and the first row has 2"),
        "NaN": (b"1 2\nnan 3\n", "row 2, column 1 is no finite number"),
        "too large": (b"1 2\n3 1e999\n", "row 2, column 2 is no finite number"),
        "a decimal comma": (b"1;2,5\n3;4,5\n", "row 1, column 1 is not a number"),
        "bytes": (b"1 2\n\xfd\xfc 3\n", "row 2, column 1 is not a number"),
        "a byte order mark": (b"\xef\xbb\xbf1,2\n", "row 1, column 1 begins with a byte order mark"),
        "UTF-16": ("1 2\n".encode("utf-16"), "row 1, column 1 begins with a byte order mark"),
        "gzip": (gzip.compress(b"1 2\n"), "it is compressed; unpack it"),
    },
}


@pytest.mark.parametrize(("form", "name"), [(form, name) for form in REFUSED for name in REFUSED[form]])
def test_what_is_no_matrix_is_refused_in_one_line(tmp_path, form, name):
    content, said = REFUSED[form][name]
    (tmp_path / "a.dat").write_bytes(content)
    done = run(tmp_path / "a.dat", tmp_path / "out", form)
    assert done.code == 3, (done.code, done.err)
    [error] = done.errors
    assert said in error and "a.dat" not in error and "panicked" not in done.err, error
    assert [path.name for path in tmp_path.iterdir()] == ["a.dat"]


def test_damaged_parquet_files_are_refused_or_harmless_and_no_panic_is_seen(tmp_path):
    seed = np.random.default_rng(12)
    for number in range(60):
        damaged = bytearray(GOOD)
        # Most of them in the footer.
        for place in seed.integers(len(damaged) - 900 * (1 + 50 * (number % 4 == 0)), len(damaged), 1 + number % 3):
            damaged[place] = seed.integers(256)
        (tmp_path / "a").write_bytes(damaged)
        done = run(tmp_path / "a", tmp_path / "out", "parquet", "--overwrite", "--emit", "parquet")
        assert done.code in (0, 3) and "panick" not in done.err, (number, done.err)


def test_a_file_of_several_is_named_by_its_place(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a").write_text("1 2\n")
    (folder / "b").write_text("3 x\n")
    done = run(folder, tmp_path / "out", "text")
    assert done.code == 3 and "file 2 of 2" in done.errors[0] and "row 2, column 2 is not a number" in done.errors[0], (
        done.err
    )
    pq.write_table(columns(ONES), folder / "a")
    pq.write_table(columns(ONES[:, :2]), folder / "b")
    done = run(folder, tmp_path / "out", "parquet")
    assert done.code == 3 and "file 2 of 2" in done.errors[0] and "not those of the first file" in done.errors[0], (
        done.err
    )


def test_more_columns_than_any_method_takes_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "a.csv").write_text(",".join("1" * 70_000) + "\n")
    done = run(tmp_path / "a.csv", tmp_path / "out", "text")
    assert done.code == 3 and "70000" in done.errors[0] and "transpose" in done.errors[0], done.err
    (tmp_path / "a.csv").write_text(",".join("1" * 16_385) + "\n")
    for method in ["gram", "tsqr"]:
        done = run(tmp_path / "a.csv", tmp_path / "out", "text", "--method", method)
        assert done.code == 2 and "--method" in done.errors[0] and "use dssvd" in done.errors[0], done.err


def test_files_in_hidden_folders_are_left_out_and_those_of_partitions_are_refused(tmp_path, root, expected):
    a = random(14, (12, 3))
    folder = tmp_path / "parts"
    for hidden in ["_temporary/0/attempt", ".ipynb_checkpoints"]:
        (folder / hidden).mkdir(parents=True)
        pq.write_table(columns(a[:6]), folder / hidden / "part-00000.parquet")
    pq.write_table(columns(a), folder / "part-00000.parquet")
    assert root(folder, "parquet") == expected(a)
    done = run(folder, tmp_path / "told", "parquet")
    assert done.code == 0 and "2 files were not read" in done.err, done.err

    table = columns(a).append_column("_year", pa.array([2020, 2021] * 6))
    pq.write_to_dataset(table, tmp_path / "by_year", partition_cols=["_year"])
    done = run(tmp_path / "by_year", tmp_path / "out", "parquet")
    assert done.code == 3 and "partitioned table" in done.errors[0] and "2020" not in done.errors[0], done.err
    [part] = (tmp_path / "by_year" / "_year=2020").iterdir()
    assert root(part.parent, "parquet") == root(part, "parquet") == expected(a[::2])


def test_rows_are_numbered_by_integers_of_any_type(tmp_path, root, expected):
    a = random(15, (100, 3))
    right = expected(a)
    for kind in [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]:
        table = pa.table({"index": pa.array(range(100), kind), "v": lists(a)["v"]})
        pq.write_table(table, tmp_path / "a.parquet")
        assert root(tmp_path / "a.parquet", "parquet") == right, kind
