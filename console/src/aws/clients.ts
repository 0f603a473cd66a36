/** SDK clients that sign in the browser and ask the page's own server. */

import { useMemo } from 'react';
import type { Session } from '../session/session.ts';
import { useSession } from '../session/sessionHooks.ts';
import { useRegion } from './region.ts';

export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly maxAttempts: number;
  readonly disableHostPrefix: boolean;
}

export function clientSettings(session: Session, region: string): ClientSettings {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return {
    endpoint: window.location.origin,
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    // A person sees the first answer and decides; above all an invoke must not happen twice.
    maxAttempts: 1,
    // Some operations would go to a host of their own (streaming-…), which the page may not ask.
    disableHostPrefix: true,
  };
}

/** One client of the signed-in session and region. Only for pages behind the sign-in. */
export function useClient<C>(Client: new (settings: ClientSettings) => C): C {
  const session = useSession();
  const region = useRegion();
  return useMemo(() => {
    // Pages unmount right after a sign-out; what they still ask is refused by the server.
    const signed = session ?? { accessKeyId: 'signed-out', secretAccessKey: 'signed-out' };
    return new Client(clientSettings(signed, region));
  }, [Client, session, region]);
}
