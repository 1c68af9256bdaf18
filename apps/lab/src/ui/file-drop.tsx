import { type ReactElement, useId, useState } from 'react';
import { Icon } from './icons.js';

/** Takes files by drop or by choice; of a folder, all files directly in it. */
export function FileDrop({
  label,
  folder = false,
  onFiles,
}: {
  label: string;
  folder?: boolean;
  onFiles(files: File[]): void;
}): ReactElement {
  const id = useId();
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way in; the labelled input below is the other
    <div
      className={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={async (event) => {
        event.preventDefault();
        setOver(false);
        onFiles(await droppedFiles(event.dataTransfer));
      }}
    >
      <Icon name="file" />
      <label htmlFor={id}>
        {label}, or <span className="link">choose</span>
      </label>
      <input
        id={id}
        type="file"
        className="hidden-text"
        multiple={folder}
        {...(folder ? { webkitdirectory: '' } : {})}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </div>
  );
}

async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  const found = await Promise.all(
    entries.map((entry, i) => (entry?.isDirectory ? filesIn(entry) : plain[i] ? [plain[i]] : [])),
  );
  return found.flat();
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) =>
      reader.readEntries(done, failed),
    );
    if (some.length === 0) return files;
    for (const one of some) {
      if (!one.isFile) continue;
      files.push(
        await new Promise<File>((done, failed) => (one as FileSystemFileEntry).file(done, failed)),
      );
    }
  }
}
