"""Lines of a billing export out of a file, CSV or Parquet, one by one; what they mean is billing_export.py's."""

import csv
import gzip
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from emr_autoscaler.adapters.aws_errors import domain_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDING = ".parquet"
ENDINGS = (*CSV_ENDINGS, PARQUET_ENDING)

_ROWS_AT_ONCE = 4096

Cell = str | Mapping[str, str | None] | None
"""A text, a map of tags (in Parquet), or null."""

Row = Mapping[str, Cell]

Choose = Callable[[Sequence[str]], Sequence[str]]
"""Returns the columns that are wanted of those there are; raises where one that is needed is not."""


def read_rows(client: "S3Client", bucket: str, key: str, choose: Choose) -> Iterator[Row]:
    """Yield the lines of a file with the wanted columns, as they are read: a file is never held in memory.

    Raises:
        UnavailableError: S3 does not answer for now.
    """
    with domain_errors():
        body: Any = client.get_object(Bucket=bucket, Key=key)["Body"]
    if key.lower().endswith(PARQUET_ENDING):
        # A Parquet file begins at its end, so it has to lie somewhere first.
        with tempfile.TemporaryFile() as file:
            with domain_errors():
                shutil.copyfileobj(body, file)
            file.seek(0)
            yield from parquet_rows(file, choose)
    else:
        yield from csv_rows(body, choose, packed=key.lower().endswith(".gz"))


def csv_rows(body: Any, choose: Choose, *, packed: bool) -> Iterator[Row]:  # noqa: ANN401  anything that reads
    """Yield the lines of a CSV file."""
    raw: Any = gzip.GzipFile(fileobj=body) if packed else body
    buffered = io.BufferedReader(raw) if hasattr(raw, "readinto") else raw
    lines = csv.reader(io.TextIOWrapper(buffered, "utf-8-sig", newline=""))
    names = next(lines, [])
    wanted = [(names.index(name), name) for name in choose(names)]
    for line in lines:
        if line:
            yield {name: line[position] for position, name in wanted if position < len(line)}


def parquet_rows(file: IO[bytes], choose: Choose) -> Iterator[Row]:
    """Yield the lines of a Parquet file, a few thousand of them in memory at a time.

    Numbers become texts before Python sees them: a bill in floating point is read as it would be printed.
    """
    # Only the function that reads the bill carries this library (template.yaml, ParquetLayer).
    from arro3.core import DataType  # noqa: PLC0415
    from arro3.io import read_parquet  # noqa: PLC0415

    for batch in read_parquet(file, batch_size=_ROWS_AT_ONCE):
        wanted = choose(batch.column_names)
        columns: list[Sequence[Any]] = []
        for name in wanted:
            column: Any = batch.column(name)  # the library types lists as arrays of another one
            if _is_map(column):
                columns.append([None if pairs is None else dict(pairs) for pairs in column.to_pylist()])
            else:
                columns.append(column.cast(DataType.string()).to_pylist())
        for values in zip(*columns, strict=True):
            yield dict(zip(wanted, values, strict=True))


def _is_map(column: Any) -> bool:  # noqa: ANN401  a column of the library
    from arro3.core import DataType  # noqa: PLC0415

    return DataType.is_map(column.type)
