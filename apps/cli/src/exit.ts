import { InputError } from '@headwise/core';
import { DataError } from '@headwise/data';
import { SafetensorsError } from '@headwise/safetensors';
import { TokenizerError } from '@headwise/tokenizers';

/** Errors that say that what was given cannot be used. */
const inputErrors = [InputError, DataError, SafetensorsError, TokenizerError];

/** 2 where the input cannot be used, 1 where the work failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return inputErrors.some((kind) => error instanceof kind) ? 2 : 1;
}

/** One clear message for bad input; with its stack for everything that is our fault. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return exitCodeOf(error) === 2 ? error.message : (error.stack ?? error.message);
}
