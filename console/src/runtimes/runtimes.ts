/** The runtimes with their dates. AWS: Lambda developer guide, "Lambda runtimes". A test holds them to the server's. */

import DATA from './runtimes.json' with { type: 'json' };

export interface RuntimeInfo {
  readonly id: string;
  readonly name: string;
  readonly system: string;
  /** ISO dates; absent where none is planned. */
  readonly deprecated?: string;
  readonly blockCreate?: string;
  readonly blockUpdate?: string;
  /** boto3's version, absent where no SDK comes with the runtime. */
  readonly sdk?: string;
}

export const RUNTIMES: readonly RuntimeInfo[] = DATA;

/** What a new function gets unless somebody chooses. */
export const DEFAULT_RUNTIME = 'python3.12';

export type Support = 'current' | 'deprecated' | 'blocked';

export function supportOf(runtime: RuntimeInfo, today = new Date()): Support {
  const day = today.toISOString().slice(0, 10);
  if (runtime.blockCreate !== undefined && runtime.blockCreate <= day) return 'blocked';
  if (runtime.deprecated !== undefined && runtime.deprecated <= day) return 'deprecated';
  return 'current';
}

export function runtimeName(id: string | undefined): string {
  return RUNTIMES.find((runtime) => runtime.id === id)?.name ?? id ?? '–';
}
