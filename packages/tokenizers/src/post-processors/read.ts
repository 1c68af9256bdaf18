import { type Fields, readPart } from '../fields.js';
import { readBertProcessing, readRobertaProcessing } from './bert.js';
import { readByteLevelProcessor } from './byte-level.js';
import type { PostProcessor } from './post-processor.js';
import { readTemplate } from './template.js';

const readers: Readonly<Record<string, (fields: Fields) => PostProcessor>> = {
  BertProcessing: readClassifying,
  ByteLevel: readByteLevelProcessor,
  RobertaProcessing: readClassifying,
  Sequence: readSequence,
  TemplateProcessing: readTemplate,
};

/**
 * Reads a `post_processor`.
 *
 * @throws TokenizerError naming a part that is not known, or a field that cannot be used
 */
export function readPostProcessor(value: unknown, path: string): PostProcessor | undefined {
  return readPart(value, path, readers);
}

/** The reference tells the two apart by their fields, not by their type. */
function readClassifying(fields: Fields): PostProcessor {
  const isRoberta = fields.has('trim_offsets') && fields.has('add_prefix_space');
  return isRoberta ? readRobertaProcessing(fields) : readBertProcessing(fields);
}

function readSequence(fields: Fields): PostProcessor {
  const parts = fields
    .objects('processors')
    .map((part) => readPostProcessor(part.json, part.path)!);
  return {
    added: (pair) => parts.reduce((sum, part) => sum + part.added(pair), 0),
    process: (texts, addSpecialTokens) =>
      parts.reduce((now, part) => part.process(now, addSpecialTokens), texts),
  };
}
