import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { createContext, useContext } from 'react';
import type { Place } from './stackTrace.ts';

export interface FunctionContext {
  readonly name: string;
  /** A version or alias; undefined is $LATEST, the only one that can be changed. */
  readonly qualifier: string | undefined;
  readonly configuration: FunctionConfiguration;
  readonly reload: () => void;
  /** Opens the code tab at a line. */
  readonly openPlace: (place: Place) => void;
  readonly place: Place | undefined;
}

const Context = createContext<FunctionContext | null>(null);
export const FunctionProvider = Context.Provider;

/** The function that the page shows. Only inside of a FunctionProvider. */
export function useFunction(): FunctionContext {
  const found = useContext(Context);
  if (found === null) throw new Error('useFunction is for the parts of the function page');
  return found;
}
