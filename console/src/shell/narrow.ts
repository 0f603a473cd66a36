/** Whether the window is as narrow as a phone: what stands side by side elsewhere stands below each other. */

import { useSyncExternalStore } from 'react';

/** As in style.css. */
const QUERY = window.matchMedia('(max-width: 760px)');

export function isNarrow(): boolean {
  return QUERY.matches;
}

export function useNarrow(): boolean {
  return useSyncExternalStore((listener) => {
    QUERY.addEventListener('change', listener);
    return () => QUERY.removeEventListener('change', listener);
  }, isNarrow);
}
