/** Light or dark: as the system has it until somebody chooses. */

import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { useSyncExternalStore } from 'react';

const KEY = 'firefork.theme';
const listeners = new Set<() => void>();

export function isDark(): boolean {
  const chosen = localStorage.getItem(KEY);
  return chosen ? chosen === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches;
}

export function applyTheme(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
}

export function toggleTheme(): void {
  localStorage.setItem(KEY, isDark() ? 'light' : 'dark');
  applyTheme();
  for (const listener of listeners) listener();
}

export function useDark(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, isDark);
}
