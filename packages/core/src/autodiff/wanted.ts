/** The inputs whose gradients the backward pass asks of the operation that it is at; undefined outside of `backward`. */
let asked: readonly string[] | undefined;

/**
 * Whether the gradient of an operation's input is asked for, within the operation's gradient function.
 *
 * `tf.grads` and the like do not say what they want: there all are.
 *
 * @param name of the input; of an operation that takes a list, its index
 */
export const isWanted = (name: string): boolean => asked?.includes(name) ?? true;

/** Runs a gradient function that is asked for the gradients of some inputs. */
export function wanting<T>(names: readonly string[] | undefined, run: () => T): T {
  const outer = asked;
  asked = names;
  try {
    return run();
  } finally {
    asked = outer;
  }
}
