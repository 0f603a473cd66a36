/** What AWS's errors mean to a page. */

interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function isAwsError(error: unknown): error is AwsError {
  return error instanceof Error;
}

/** The error in AWS's own words. */
export function messageOf(error: unknown): string {
  return isAwsError(error) ? error.message || error.name : String(error);
}

/** The server does not serve this operation or service: an honest gap, not a fault. */
export function isNotImplemented(error: unknown): boolean {
  return isAwsError(error) && (error.name === 'NotImplementedException' || error.$metadata?.httpStatusCode === 501);
}

export function isMissing(error: unknown): boolean {
  return isAwsError(error) && (error.name.includes('NotFound') || error.name === 'NoSuchEntityException');
}

export function isDenied(error: unknown): boolean {
  return isAwsError(error) && error.name.startsWith('AccessDenied');
}

const EXPIRED = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
]);

/** The session is over, or the server was started anew with other keys. */
export function isExpired(error: unknown): boolean {
  return isAwsError(error) && EXPIRED.has(error.name);
}
