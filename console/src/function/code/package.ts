/** A function's deployment package, from the server and to it. */

import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { type Entry, readArchive, UnreadableArchive, writeArchive } from '../../archive/archive.ts';
import { waitUntilReady } from '../../aws/functionState.ts';
import { BASE } from '../../shell/addresses.ts';

/** Above it the browser would only be slow with the package. AWS: 50 MB zipped is the limit of a direct upload. */
const LARGEST_EDITED = 50_000_000;

export type Package =
  | {
      readonly kind: 'files';
      readonly entries: readonly Entry[];
      readonly zip: Blob;
      readonly sha256: string | undefined;
    }
  | { readonly kind: 'large'; readonly size: number; readonly location: string }
  | { readonly kind: 'image'; readonly uri: string }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly zip: Blob };

/** Links to packages are on the address that the server knows; the page may be open at another one (a proxy's). */
function onOurOrigin(location: string): string {
  const address = new URL(location);
  const internal = BASE.replace(/console$/, '');
  return address.pathname.startsWith(internal) ? address.pathname + address.search : location;
}

export async function loadPackage(
  lambda: LambdaClient,
  name: string,
  qualifier: string | undefined,
  signal: AbortSignal,
): Promise<Package> {
  const found = await lambda.send(new GetFunctionCommand({ FunctionName: name, Qualifier: qualifier }), {
    abortSignal: signal,
  });
  if (found.Configuration?.PackageType === 'Image') return { kind: 'image', uri: found.Code?.ImageUri ?? '' };
  const location = onOurOrigin(found.Code?.Location ?? '');
  const size = found.Configuration?.CodeSize ?? 0;
  if (size > LARGEST_EDITED) return { kind: 'large', size, location };
  const answer = await fetch(location, { signal });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  const zip = await answer.blob();
  try {
    return {
      kind: 'files',
      zip,
      sha256: found.Configuration?.CodeSha256,
      entries: readArchive(new Uint8Array(await zip.arrayBuffer())),
    };
  } catch (error) {
    if (error instanceof UnreadableArchive) return { kind: 'unreadable', reason: error.message, zip };
    throw error;
  }
}

/** Somebody else deployed other code since this page read it. */
export class ChangedElsewhere extends Error {}

/**
 * Uploads the entries and waits until they are what runs; resolves to the entries as they can be read again.
 * Throws ChangedElsewhere if the deployed code is not the one that was read (`knownSha256`, undefined overwrites it).
 */
export async function deployPackage(
  lambda: LambdaClient,
  name: string,
  entries: readonly Entry[],
  knownSha256: string | undefined,
): Promise<{ readonly entries: readonly Entry[]; readonly sha256: string | undefined }> {
  const current = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  if (knownSha256 !== undefined && current.CodeSha256 !== knownSha256) throw new ChangedElsewhere();
  const zip = writeArchive(entries);
  const { RevisionId } = current;
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip, RevisionId }));
  const { CodeSha256 } = await waitUntilReady(lambda, name);
  return { entries: readArchive(zip), sha256: CodeSha256 };
}

/** Hands bytes to the browser's downloads. */
export function download(fileName: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  // The download has begun; the browser keeps what it needs.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
