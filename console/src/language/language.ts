/** The console's words in the chosen language. */

import { useSyncExternalStore } from 'react';
import { CATALOGUE, type Key } from './catalogue.ts';

export type Language = 'en' | 'es';
export type { Key };
/** Values for the `{names}` in a text. */
export type Values = Readonly<Record<string, string | number>>;
export type Text = (key: Key, values?: Values) => string;

const STORED = 'firefork.language';
const listeners = new Set<() => void>();

export function currentLanguage(): Language {
  const chosen = localStorage.getItem(STORED) ?? navigator.language;
  return chosen.startsWith('es') ? 'es' : 'en';
}

export function changeLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
  for (const listener of listeners) listener();
}

export function useLanguage(): Language {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentLanguage);
}

export function textIn(language: Language, key: Key, values: Values = {}): string {
  const text: string = CATALOGUE[key][language === 'en' ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const TEXTS: Record<Language, Text> = {
  en: (key, values) => textIn('en', key, values),
  es: (key, values) => textIn('es', key, values),
};

export function useText(): Text {
  return TEXTS[useLanguage()];
}
