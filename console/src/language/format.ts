/** Numbers, sizes and times as people of a language write them. */

import type { Language } from './language.ts';

const STEPS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
const STEP = 1024;

/** `1.2 MB`: binary steps, as Lambda's quotas count (50 MB, 250 MB). */
export function formatBytes(bytes: number, language: Language): string {
  let value = bytes;
  let step = 0;
  while (value >= STEP && step < STEPS.length - 1) {
    value /= STEP;
    step++;
  }
  const digits = step > 0 && value < 100 ? 1 : 0;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${STEPS[step]}`;
}

export function formatMs(ms: number, language: Language): string {
  return `${ms.toLocaleString(language, { maximumFractionDigits: 2 })} ms`;
}

export function formatTime(moment: string | number | Date | undefined, language: Language): string {
  if (moment === undefined) return '–';
  // Lambda writes its zone as +0000, which Date takes only with a colon.
  const readable = typeof moment === 'string' ? moment.replace(/([+-]\d\d)(\d\d)$/, '$1:$2') : moment;
  return new Date(readable).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** `14:03:05.123`, for lists of log lines. */
export function formatClock(ms: number, language: Language): string {
  return new Date(ms).toLocaleTimeString(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  });
}
