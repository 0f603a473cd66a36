/** Asking the server from a component: one value that is loaded, or one action that is carried out. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { signOut } from '../session/session.ts';
import { isExpired } from './errors.ts';

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * Loads when it is first shown and whenever `load` changes: give it a `useCallback`.
 * Loads again when `again` is another value. The last value stays while the next one is on its way; `null` loads nothing.
 */
export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | null, again?: unknown): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown; loading: boolean }>({ loading: load !== null });
  const [turn, setTurn] = useState(0);
  const last = useRef(load);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` and `again` ask again
  useEffect(() => {
    if (load === null) return;
    const abort = new AbortController();
    const same = last.current === load;
    last.current = load;
    setState((before) => ({ ...(same ? { data: before.data } : {}), loading: true }));
    load(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ data, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (isExpired(error)) signOut('expired');
        setState((before) => ({ data: before.data, error, loading: false }));
      },
    );
    return () => abort.abort();
  }, [load, turn, again]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}

export interface Action {
  readonly busy: boolean;
  readonly error: unknown;
  /** Resolves to whether it succeeded; the error is kept for the page to show. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
}

/** One thing at a time that a person asked for. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
      return true;
    } catch (problem) {
      // Whatever the work throws is shown to the person who asked for it.
      if (isExpired(problem)) signOut('expired');
      setError(problem);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(undefined), []);
  return { busy, error, run, clear };
}
