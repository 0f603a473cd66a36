import { describe, expect, it } from 'vitest';
import { fieldErrors } from '../src/aws/fieldErrors.ts';

const HINTS = [
  ['name', /functionname|ResourceConflict/i],
  ['runtime', /runtime/i],
] as const;

const error = (name: string, message: string) => Object.assign(new Error(message), { name });

describe('fieldErrors', () => {
  it('puts what a validation error says beside the member that it names', () => {
    const clause = "Value 'a runtime' at 'functionName' failed to satisfy constraint: …";
    const errors = fieldErrors(error('ValidationException', `1 validation error detected: ${clause}`), HINTS);
    expect(errors.of('name')).toBe(clause);
    expect(errors.of('runtime')).toBeUndefined();
    expect(errors.rest).toBeUndefined();
  });

  it('parts several validation errors', () => {
    const first = "Value '' at 'functionName' failed to satisfy constraint: Member must have length at least 1";
    const second = "Value 'x' at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [a, b]";
    const errors = fieldErrors(
      error('ValidationException', `2 validation errors detected: ${first}; ${second}`),
      HINTS,
    );
    expect([errors.of('name'), errors.of('runtime')]).toEqual([first, second]);
  });

  it('knows other errors by code and words', () => {
    const taken = fieldErrors(error('ResourceConflictException', 'Function already exist: x'), HINTS);
    expect(taken.of('name')).toBe('Function already exist: x');
    const wrong = fieldErrors(error('InvalidParameterValueException', 'The runtime parameter of …'), HINTS);
    expect(wrong.of('runtime')).toBe('The runtime parameter of …');
  });

  it('leaves the rest to the form', () => {
    const other = error('ServiceException', 'Oh');
    expect(fieldErrors(other, HINTS).rest).toBe(other);
    expect(fieldErrors(undefined, HINTS).rest).toBeUndefined();
  });
});
