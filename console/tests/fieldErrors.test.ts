import { describe, expect, it } from 'vitest';
import { fieldOf } from '../src/functions/fieldErrors.ts';

const HINTS = [
  ['name', /functionname|ResourceConflict/i],
  ['runtime', /runtime/i],
] as const;

const error = (name: string, message: string) => Object.assign(new Error(message), { name });

describe('fieldOf', () => {
  it('takes the member that a validation error names', () => {
    const text = "1 validation error detected: Value 'a runtime' at 'functionName' failed to satisfy constraint: …";
    expect(fieldOf(error('ValidationException', text), HINTS)).toBe('name');
  });

  it('knows other errors by code and words', () => {
    expect(fieldOf(error('ResourceConflictException', 'Function already exist: x'), HINTS)).toBe('name');
    expect(fieldOf(error('InvalidParameterValueException', 'The runtime parameter of …'), HINTS)).toBe('runtime');
  });

  it('leaves the rest to the form', () => {
    expect(fieldOf(error('ServiceException', 'Oh'), HINTS)).toBeUndefined();
    expect(fieldOf(undefined, HINTS)).toBeUndefined();
  });
});
