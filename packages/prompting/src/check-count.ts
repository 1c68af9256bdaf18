import { InputError } from '@headwise/core';

/** @throws InputError where a number is not whole or less than expected */
export function checkCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InputError(`${name} is ${value}; expected a whole number of at least ${least}`);
}
