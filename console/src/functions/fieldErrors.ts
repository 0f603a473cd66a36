/** Which field of a form AWS's refusal is about. */

import { messageOf } from '../aws/errors.ts';

const WHERE = /at '(\w+)/;

/**
 * The field named by `hints` that the error is about. A validation error names the member itself; for the others, the
 * first hint whose pattern is found in the message or the code.
 */
export function fieldOf<F extends string>(error: unknown, hints: readonly (readonly [F, RegExp])[]): F | undefined {
  if (!(error instanceof Error)) return undefined;
  const member = WHERE.exec(error.message)?.[1]?.toLowerCase();
  const text = member ?? `${error.name} ${messageOf(error)}`;
  return hints.find(([, pattern]) => pattern.test(text))?.[0];
}
