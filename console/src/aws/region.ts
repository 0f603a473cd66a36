/** The region that the console shows, kept over visits. */

import { useSyncExternalStore } from 'react';

const KEY = 'firefork.region';
const listeners = new Set<() => void>();

/** Every region is there by itself: a name is all it takes. */
export const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'ap-northeast-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'sa-east-1',
] as const;

export function currentRegion(): string {
  return localStorage.getItem(KEY) ?? REGIONS[0];
}

export function changeRegion(region: string): void {
  localStorage.setItem(KEY, region);
  for (const listener of listeners) listener();
}

export function useRegion(): string {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentRegion);
}
