import type { FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

import { newId } from './newId.ts';

type Kind = 'success' | 'error' | 'info' | 'warning';
type Tell = (kind: Kind, content: ReactNode) => void;

interface Notices {
  readonly items: readonly FlashbarProps.MessageDefinition[];
  readonly tell: Tell;
}

const Context = createContext<Notices>({ items: [], tell: () => {} });
const SHOWN_AT_MOST = 4;

/** What has happened, shown above every page until it is put away. */
export function NoticesProvider({ children }: { readonly children: ReactNode }) {
  const [items, setItems] = useState<readonly FlashbarProps.MessageDefinition[]>([]);
  const tell = useCallback<Tell>((type, content) => {
    const id = newId();
    const item: FlashbarProps.MessageDefinition = {
      id,
      type,
      content,
      dismissible: true,
      onDismiss: () => setItems((before) => before.filter((known) => known.id !== id)),
    };
    setItems((before) => [item, ...before].slice(0, SHOWN_AT_MOST));
  }, []);
  const value = useMemo(() => ({ items, tell }), [items, tell]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useNotices(): Notices {
  return useContext(Context);
}

export function useTell(): Tell {
  return useContext(Context).tell;
}
