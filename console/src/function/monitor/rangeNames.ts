import type { Key } from '../../language/language.ts';

/** What RELATIVE_RANGES are called. */
export const RANGE_NAMES: Readonly<Record<string, Key>> = {
  '15m': 'last15Minutes',
  '1h': 'lastHour',
  '3h': 'last3Hours',
  '1d': 'lastDay',
  '7d': 'lastWeek',
};
