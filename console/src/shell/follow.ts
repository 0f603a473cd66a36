import { useCallback } from 'react';
import { useNavigate } from 'react-router-dom';
import { BASE } from './addresses.ts';

interface FollowEvent {
  readonly detail: { readonly href?: string; readonly external?: boolean };
  preventDefault(): void;
}

/** For Cloudscape's `onFollow`: turns a followed link of ours into a change of page without loading it anew. */
export function useFollow(): (event: FollowEvent) => void {
  const navigate = useNavigate();
  return useCallback(
    (event) => {
      const { href, external } = event.detail;
      if (external || !href?.startsWith(BASE)) return;
      event.preventDefault();
      navigate(href.slice(BASE.length));
    },
    [navigate],
  );
}
