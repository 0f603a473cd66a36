/** The stretch of time that a page looks at, as Cloudscape's DateRangePicker has it. */

import type { DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';

export type TimeRange = DateRangePickerProps.Value;

export interface Span {
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

const UNIT_MS: Record<string, number> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
};

const relative = (key: string, amount: number, unit: DateRangePickerProps.TimeUnit) =>
  ({ type: 'relative', key, amount, unit }) as const;

/** What is offered by name. */
export const RELATIVE_RANGES = [
  relative('15m', 15, 'minute'),
  relative('1h', 1, 'hour'),
  relative('3h', 3, 'hour'),
  relative('1d', 1, 'day'),
  relative('7d', 7, 'day'),
] as const;

/** Metrics are kept for 15 months. AWS: CloudWatch user guide, "Metrics retention". */
const LONGEST_MS = 455 * 86_400_000;

/** Start and end of a range, seen at `nowMs`. */
export function spanOf(range: TimeRange, nowMs: number): Span {
  if (range.type === 'absolute') return { startMs: Date.parse(range.startDate), endMs: Date.parse(range.endDate) };
  return { startMs: nowMs - range.amount * (UNIT_MS[range.unit] ?? UNIT_MS.day ?? 0), endMs: nowMs };
}

/** Whether there is anything to look at: a range that ends after it begins and is not longer than metrics are kept. */
export function isUsable(range: TimeRange): boolean {
  const { startMs, endMs } = spanOf(range, Date.now());
  return endMs > startMs && endMs - startMs <= LONGEST_MS;
}
