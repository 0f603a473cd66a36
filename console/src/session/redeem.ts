import type { Session } from './session.ts';

/** What a one-time link was good for. */
export type Redeemed =
  | {
      readonly session: Session;
      /** The region that the server shows first. */
      readonly region: string;
    }
  | { readonly refusal: unknown };

/** Buys a session with the token of a one-time link. Never throws: a refusal has the server's words. */
export async function redeemLink(token: string): Promise<Redeemed> {
  try {
    return await redeem(token);
  } catch (refusal) {
    return { refusal };
  }
}

async function redeem(token: string): Promise<Redeemed> {
  const answer = await fetch(`${import.meta.env.BASE_URL}session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message);
  const { accessKeyId, secretAccessKey, sessionToken } = told;
  return {
    session: { accessKeyId, secretAccessKey, sessionToken, expiresAt: Date.parse(told.expiration) },
    region: told.region,
  };
}
