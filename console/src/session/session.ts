/** Who is signed in. Temporary credentials live as long as the browser's tab; a permanent secret only in memory. */

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only temporary credentials have one, and only they are kept over a reload. */
  readonly sessionToken?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
}

const KEY = 'firefork.session';
const listeners = new Set<() => void>();
let current: Session | null = stored();
let ended = false;
let refusal: unknown;

function stored(): Session | null {
  const text = sessionStorage.getItem(KEY);
  if (!text) return null;
  const session = JSON.parse(text) as Session;
  return (session.expiresAt ?? 0) > Date.now() ? session : null;
}

function change(session: Session | null): void {
  current = session;
  if (session?.sessionToken) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

export function currentSession(): Session | null {
  return current;
}

/** Whether the last session ended by itself: the sign-in page says so. */
export function sessionEnded(): boolean {
  return ended;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Why the one-time link was refused: the sign-in page says that too. */
export function linkRefusal(): unknown {
  return refusal;
}

export function refuseLink(error: unknown): void {
  refusal = error;
}

export function signIn(session: Session): void {
  ended = false;
  refusal = undefined;
  change(session);
}

export function signOut(reason: 'asked' | 'expired' = 'asked'): void {
  ended = reason === 'expired';
  change(null);
}
