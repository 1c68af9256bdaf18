"""Writes small files of examples in Parquet, with the compressions that data sets have. usage: examples.py FOLDER"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

source = {
    "source": "pyarrow",
    "version": pa.__version__,
    "script": "tools/goldens/parquet/examples.py",
}

chats = [
    [{"role": "user", "content": "Où est la baleine ?"}, {"role": "assistant", "content": "Ici 🐳."}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "Here."},
    ],
]
labels = [{"text": f"text {n}", "label": n % 3, "weight": n / 2} for n in range(5)]
# The third row lacks its completion.
completions = [
    {"prompt": "a", "completion": "b"},
    {"prompt": "c", "completion": "d"},
    {"prompt": "e", "completion": None},
]


def write(folder: Path, name: str, table: pa.Table, compression: str) -> None:
    table = table.replace_schema_metadata(source)
    pq.write_table(table, folder / name, compression=compression, row_group_size=2)


folder = Path(sys.argv[1])
write(folder, "messages-snappy.parquet", pa.table({"messages": chats}), "snappy")
write(folder, "labels-zstd.parquet", pa.Table.from_pylist(labels), "zstd")
write(folder, "completions-gzip.parquet", pa.Table.from_pylist(completions), "gzip")
