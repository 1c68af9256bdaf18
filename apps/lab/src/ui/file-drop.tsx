import { type ReactElement, useId, useState } from 'react';
import { Icon } from './icons.js';

/** Takes files by drop or by choice; of a folder, all files in it, with their paths there. */
export function FileDrop({
  label,
  folder = false,
  onFiles,
}: {
  label: string;
  folder?: boolean;
  onFiles(files: File[], paths: string[]): void;
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
        const found = await droppedFiles(event.dataTransfer);
        onFiles(
          found.map(({ file }) => file),
          found.map(({ path }) => path),
        );
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
          const files = [...(event.target.files ?? [])];
          onFiles(
            files,
            files.map(({ name, webkitRelativePath: path }) =>
              path === '' ? name : path.slice(path.indexOf('/') + 1),
            ),
          );
          event.target.value = '';
        }}
      />
    </div>
  );
}

interface FoundFile {
  file: File;
  /** Below the folder that was dropped. */
  path: string;
}

async function droppedFiles(transfer: DataTransfer): Promise<FoundFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  const found = await Promise.all(
    entries.map((entry, i) => {
      if (entry?.isDirectory) return filesIn(entry as FileSystemDirectoryEntry, '');
      const file = plain[i];
      return file ? [{ file, path: file.name }] : [];
    }),
  );
  return found.flat();
}

async function filesIn(folder: FileSystemDirectoryEntry, below: string): Promise<FoundFile[]> {
  const reader = folder.createReader();
  const files: FoundFile[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) =>
      reader.readEntries(done, failed),
    );
    if (some.length === 0) return files;
    for (const entry of some) {
      const path = below + entry.name;
      if (entry.isDirectory) {
        files.push(...(await filesIn(entry as FileSystemDirectoryEntry, `${path}/`)));
        continue;
      }
      const file = await new Promise<File>((done, failed) =>
        (entry as FileSystemFileEntry).file(done, failed),
      );
      files.push({ file, path });
    }
  }
}
