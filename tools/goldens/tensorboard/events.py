"""An event file by TensorBoard's own writer of records: what torch's SummaryWriter writes for the same scalars."""

import base64
import io
import json
import sys
from pathlib import Path

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

events = [
    {"wallTime": 1700000000.25, "fileVersion": "brain.Event:2"},
    {"wallTime": 1700000001.5, "step": 1, "scalars": {"train/loss": 2.5, "train/learning_rate": 0.001}},
    {"wallTime": 1700000002.5, "step": 300, "scalars": {"train/loss": 0.0, "train/größe": -1e-30}},
    {"wallTime": 1700000003.0, "step": 5_000_000_000, "scalars": {"validation/loss": 3.4e38}},
    {"wallTime": 1700000004.0, "scalars": {"validation/loss": 7.25}},
    {"wallTime": 1700000005.0, "step": 129, "restart": True},
]


class Bytes(io.BytesIO):
    def close(self):
        pass


file = Bytes()
writer = RecordWriter(file)
for event in events:
    written = Event(wall_time=event["wallTime"], step=event.get("step", 0))
    if "fileVersion" in event:
        written.file_version = event["fileVersion"]
    if "scalars" in event:
        written.summary.CopyFrom(Summary(value=[
            Summary.Value(tag=tag, simple_value=value) for tag, value in event["scalars"].items()
        ]))
    if event.get("restart"):
        written.session_log.CopyFrom(SessionLog(status=SessionLog.START))
    writer.write(written.SerializeToString())
path = Path(sys.argv[1]) / "runs" / "src" / "goldens" / "tensorboard.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({
    "source": "tensorboard",
    "version": tensorboard.__version__,
    "script": "tools/goldens/tensorboard/events.py",
    "cases": [{"events": events, "file": base64.b64encode(file.getvalue()).decode()}],
}, separators=(",", ":")) + "\n")
