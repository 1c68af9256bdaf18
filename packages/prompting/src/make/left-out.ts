import { HeadwiseError } from '@headwise/core';

/** Ends the making of one item: it is left out, counted by its rule, and the others go on. */
export class LeftOut extends HeadwiseError {
  override readonly name = 'LeftOut';
  /** What reports count it by, such as `outside its form`. */
  readonly rule: string;

  constructor(rule: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.rule = rule;
  }
}
