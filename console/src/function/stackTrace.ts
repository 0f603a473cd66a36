/** The places in the function's own files that a Python stack trace names. */

export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface FunctionError {
  readonly errorType?: string;
  readonly errorMessage?: string;
  readonly stackTrace?: readonly string[];
}

const PLACE = /File "\/var\/task\/([^"]+)", line (\d+)/;

/** Where a line of a stack trace points to, if that is the function's own code. */
export function placeOf(text: string): Place | undefined {
  const found = PLACE.exec(text);
  return found?.[1] && found[2] ? { file: found[1], line: Number(found[2]) } : undefined;
}

/** The error document of a failed invoke, undefined for another answer. */
export function readFunctionError(answer: unknown): FunctionError | undefined {
  if (typeof answer !== 'object' || answer === null || !('errorMessage' in answer)) return undefined;
  return answer as FunctionError;
}
