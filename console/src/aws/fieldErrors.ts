/** Which fields of a form AWS's refusal is about. */

import { messageOf } from './errors.ts';

/** Fields of a form, each with the words that an error about it has in its member, code or message. */
export type Hints<F extends string> = readonly (readonly [F, RegExp])[];

export interface FieldErrors<F extends string> {
  /** What to say beside a field; undefined where nothing is wrong with it. */
  readonly of: (field: F) => string | undefined;
  /** The error if no field shows it: the form has to. */
  readonly rest: unknown;
}

const WHERE = /at '(\w+)/;
const COUNT = /^\d+ validation errors? detected: /;
const BETWEEN = /; (?=Value )/;

/**
 * AWS's words beside the fields that they are about. A validation error names each member itself; the others belong to
 * the first field whose pattern is found in the message or the code.
 */
export function fieldErrors<F extends string>(error: unknown, hints: Hints<F>): FieldErrors<F> {
  const found = new Map<F, string>();
  if (error instanceof Error) {
    const text = messageOf(error);
    const clauses = COUNT.test(text) ? text.replace(COUNT, '').split(BETWEEN) : [text];
    for (const clause of clauses) {
      const searched = WHERE.exec(clause)?.[1] ?? `${error.name} ${clause}`;
      const field = hints.find(([, pattern]) => pattern.test(searched))?.[0];
      if (field !== undefined && !found.has(field)) found.set(field, clause);
    }
  }
  return { of: (field) => found.get(field), rest: found.size === 0 ? error : undefined };
}
