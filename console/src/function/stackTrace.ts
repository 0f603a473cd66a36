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

/** The error document of a failed invoke, undefined for another text. */
export function readFunctionError(text: string): FunctionError | undefined {
  const answer = readJson(text);
  if (typeof answer !== 'object' || answer === null || !('errorMessage' in answer)) return undefined;
  return answer as FunctionError;
}

/** What a text says as JSON, undefined where it is none: an answer need not be. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON.parse throws nothing but a SyntaxError: the text is something else.
    return undefined;
  }
}
