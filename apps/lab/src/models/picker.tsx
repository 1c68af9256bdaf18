import { type ReactElement, useRef, useState } from 'react';
import { useLab } from '../lab.js';
import { Button } from '../ui/button.js';
import { SelectField, TextField } from '../ui/fields.js';
import { FileDrop } from '../ui/file-drop.js';
import { Notice } from '../ui/notice.js';
import { keyOfSource, type ModelSource } from '../worker/model-source.js';
import { addressHint, folderAddress } from './address.js';
import { bring, bundledSource, folderSource, useBrought } from './chosen.js';

const bringing = 'bring';

/**
 * Chooses a model: the bundled one, a run, a dropped folder, or an address.
 *
 * A model is opened before it is chosen: one that is refused leaves the one before in its place.
 */
export function ModelPicker({
  label,
  source,
  onChange,
}: {
  label: string;
  source: ModelSource;
  onChange: (source: ModelSource) => void;
}): ReactElement {
  const { runs } = useLab();
  const brought = useBrought();
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [opening, setOpening] = useState<string>();
  const latest = useRef(0);
  const usable = runs.filter(
    ({ checkpoint, status }) => checkpoint !== undefined || status === 'running',
  );
  const choices: { source: ModelSource; label: string }[] = [
    { source: bundledSource, label: 'Moby-Dick, small (bundled)' },
    ...usable.map((run) => ({
      source: { kind: 'run', run: run.id } as const,
      label: `Run: ${run.name}${run.status === 'running' ? ', training now' : ''}`,
    })),
    ...brought.map((one) => ({ source: one, label: nameOf(one) })),
  ];
  const key = keyOfSource(source);
  const known = choices.some((choice) => keyOfSource(choice.source) === key);
  const take = async (next: ModelSource, name: string) => {
    const mine = ++latest.current;
    setProblem(undefined);
    setOpening(name);
    try {
      await bring(next);
      if (mine !== latest.current) return;
      setOpen(false);
      onChange(next);
    } catch (error) {
      if (mine === latest.current) setProblem((error as Error).message);
    } finally {
      if (mine === latest.current) setOpening(undefined);
    }
  };
  const takeAddress = (text: string) => {
    try {
      const url = folderAddress(text, window.location.href);
      void take({ kind: 'url', url }, url);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div className="stack tight">
      <SelectField
        label={label}
        value={open ? bringing : key}
        options={[
          ...choices.map((choice) => ({ value: keyOfSource(choice.source), label: choice.label })),
          ...(known ? [] : [{ value: key, label: nameOf(source) }]),
          { value: bringing, label: 'Bring a model of yours …' },
        ]}
        onChange={(value) => {
          setOpen(value === bringing);
          setProblem(undefined);
          const choice = choices.find((one) => keyOfSource(one.source) === value);
          if (choice && value !== key) void take(choice.source, choice.label);
        }}
      />
      {open && (
        <Bring
          busy={opening !== undefined}
          onFiles={(files) => {
            const folder = folderSource(files);
            void take(folder, nameOf(folder));
          }}
          onAddress={takeAddress}
        />
      )}
      {opening !== undefined && <Notice>Loading {opening} …</Notice>}
      {problem && (
        <Notice tone="bad" onClose={() => setProblem(undefined)}>
          {problem}
        </Notice>
      )}
    </div>
  );
}

function nameOf(source: ModelSource): string {
  if (source.kind === 'files') return `Folder: ${source.name}`;
  if (source.kind === 'run') return 'A run that is gone';
  return source.kind === 'url'
    ? source.url.replace(/^https:\/\/huggingface\.co\/(.+)\/resolve\/main\/?$/, '$1')
    : source.kind;
}

function Bring({
  busy,
  onFiles,
  onAddress,
}: {
  busy: boolean;
  onFiles(files: File[]): void;
  onAddress(text: string): void;
}): ReactElement {
  const [text, setText] = useState('');
  return (
    <div className="stack tight">
      <FileDrop
        label="Drop a Hugging Face folder: config.json, model.safetensors, tokenizer.json"
        folder
        onFiles={(files, paths) => onFiles(files.filter((_, i) => !paths[i]!.includes('/')))}
      />
      <div className="row bottom">
        <div className="grow">
          <TextField
            label="Or its address"
            placeholder="owner/name"
            value={text}
            onChange={setText}
            onEnter={() => onAddress(text)}
          />
        </div>
        <Button disabled={busy || text.trim() === ''} onClick={() => onAddress(text)}>
          Load
        </Button>
      </div>
      <p className="small muted">{addressHint}</p>
    </div>
  );
}
