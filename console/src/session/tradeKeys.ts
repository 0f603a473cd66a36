import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { clientSettings } from '../aws/clients.ts';
import { currentRegion } from '../aws/region.ts';
import type { Session } from './session.ts';

const SESSION_S = 12 * 3600;

/** Trades a key pair for temporary credentials; only these are kept. */
export async function tradeKeys(accessKeyId: string, secretAccessKey: string): Promise<Session> {
  const sts = new STSClient(clientSettings({ accessKeyId, secretAccessKey }, currentRegion()));
  const { Credentials: given } = await sts.send(new GetSessionTokenCommand({ DurationSeconds: SESSION_S }));
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken,
    expiresAt: given?.Expiration?.getTime(),
  };
}
