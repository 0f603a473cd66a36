import { type FunctionConfiguration, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { useCallback, useEffect, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { isExpired } from '../aws/errors.ts';
import { signOut } from '../session/session.ts';

/** Pages that are fetched between two paints of the list: a paint of thousands of rows costs more than a page. */
const PAGES_A_PAINT = 8;

export interface FunctionList {
  readonly functions: readonly FunctionConfiguration[];
  readonly loading: boolean;
  readonly error: unknown;
  readonly reload: () => void;
}

/** All functions of the region, shown as they come in. */
export function useFunctionList(): FunctionList {
  const lambda = useClient(LambdaClient);
  const [state, setState] = useState<Omit<FunctionList, 'reload'>>({ functions: [], loading: true, error: undefined });
  const [turn, setTurn] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again
  useEffect(() => {
    const abort = new AbortController();
    const load = async () => {
      setState((before) => ({ ...before, loading: true, error: undefined }));
      const found: FunctionConfiguration[] = [];
      let marker: string | undefined;
      let pages = 0;
      do {
        const page = await lambda.send(new ListFunctionsCommand({ Marker: marker }), { abortSignal: abort.signal });
        found.push(...(page.Functions ?? []));
        marker = page.NextMarker;
        pages++;
        if (marker && (pages === 1 || pages % PAGES_A_PAINT === 0)) {
          setState((before) =>
            found.length > before.functions.length ? { ...before, functions: [...found] } : before,
          );
        }
      } while (marker && !abort.signal.aborted);
      if (!abort.signal.aborted) setState({ functions: found, loading: false, error: undefined });
    };
    load().catch((error: unknown) => {
      if (abort.signal.aborted) return;
      if (isExpired(error)) signOut('expired');
      setState((before) => ({ ...before, loading: false, error }));
    });
    return () => abort.abort();
  }, [lambda, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, reload };
}
