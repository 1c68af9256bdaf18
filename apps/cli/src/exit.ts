import { InputError, isHeadwiseError } from '@headwise/core';
import { DataError } from '@headwise/data';
import { FileError } from '@headwise/files';
import { SafetensorsError } from '@headwise/safetensors';
import { TokenizerError } from '@headwise/tokenizers';
import { shortened } from './shortened.js';

/** Errors that say that what was given cannot be used. */
const inputErrors = [InputError, DataError, FileError, SafetensorsError, TokenizerError];

/** What the system says where the machine, not the input, is at fault: no room, a broken disk, too many open files. */
const machineCodes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'ENODEV', 'EMFILE', 'ENFILE', 'ENOMEM'];

/** 2 where the input cannot be used, 1 where the work failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return isOneOf(inputErrors, error) && !isOfTheMachine(error) ? 2 : 1;
}

/** Whether the system has refused for a reason of its own, in an error or in what caused it. */
function isOfTheMachine(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && machineCodes.includes(String(at.code))) return true;
  }
  return false;
}

/** One clear message for what was foreseen; with its stack for everything that is our fault. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return shortened(isHeadwiseError(error) ? error.message : (error.stack ?? error.message));
}

function isOneOf(kinds: readonly (abstract new (...args: never[]) => Error)[], error: unknown) {
  return kinds.some((kind) => error instanceof kind);
}
