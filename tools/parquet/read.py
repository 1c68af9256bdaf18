"""Compares Parquet files of documents with the JSON lines that they were made of. usage: read.py LINES FILE…"""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

lines, *files = sys.argv[1:]
rows, groups, schemas = [], 0, set()
for file in files:
    parquet = pq.ParquetFile(file)
    groups += parquet.num_row_groups
    schemas.add(str(parquet.schema_arrow.remove_metadata()))
    compression = parquet.metadata.row_group(0).column(1).compression
    rows += parquet.read().to_pylist()
read = [{"id": row["id"], "text": row["text"], **json.loads(row["meta"])} for row in rows]
with open(lines, encoding="utf-8") as file:
    expected = [json.loads(line) for line in file]
schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("id", "text", "meta")])
print(json.dumps({
    "pyarrow": pa.__version__,
    "compression": compression,
    "rows": len(read),
    "row groups": groups,
    "equal": read == expected and schemas == {str(schema)},
}))
