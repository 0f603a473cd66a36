/** Invokes as the log tells them: what each cost, and how they add up over time. */

import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import { type Report, readReport } from '../report.ts';

export interface Invocation extends Report {
  /** When it ended, milliseconds since the epoch. */
  readonly endedMs: number;
  readonly failed: boolean;
  readonly stream: string;
}

/** Finds reports and unhandled errors, in text and in JSON logs. */
export const PATTERN = '?"REPORT RequestId" ?"[ERROR]" ?"platform.report" ?"stackTrace"';

/** The runtime's own line about an exception that left the handler; a logger's line has tabs behind the level. */
const UNHANDLED = /^\[ERROR\] \S|"stackTrace"/;

/** The invokes behind log events (in the order of their times), the newest first. */
export function invocationsOf(events: readonly FilteredLogEvent[]): Invocation[] {
  const found: Invocation[] = [];
  const failing = new Set<string>();
  for (const { message = '', timestamp = 0, logStreamName: stream = '' } of events) {
    const report = readReport(message);
    if (report) {
      found.push({ ...report, endedMs: timestamp, stream, failed: report.status !== undefined || failing.has(stream) });
      failing.delete(stream);
    } else if (UNHANDLED.test(message)) {
      // An environment works on one invoke at a time and writes to one stream: the next report there is this invoke's.
      failing.add(stream);
    }
  }
  return found.reverse();
}

/** The value that a share of the numbers does not pass; undefined for no numbers. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export interface Summary {
  readonly count: number;
  readonly errors: number;
  readonly coldStarts: number;
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly mostMb?: number;
}

export function summaryOf(invocations: readonly Invocation[]): Summary {
  const durations = invocations.map((each) => each.durationMs).sort((a, b) => a - b);
  return {
    count: invocations.length,
    errors: invocations.filter((each) => each.failed).length,
    coldStarts: invocations.filter((each) => each.initMs !== undefined || each.restoreMs !== undefined).length,
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    p99: percentile(durations, 0.99),
    mostMb: invocations.length > 0 ? Math.max(...invocations.map((each) => each.usedMb)) : undefined,
  };
}

export interface Slot extends Summary {
  readonly start: Date;
}

/** Sums for equal stretches of time from `startMs` to `endMs`. */
export function slotsOf(invocations: readonly Invocation[], startMs: number, endMs: number, count: number): Slot[] {
  const width = (endMs - startMs) / count;
  const groups: Invocation[][] = Array.from({ length: count }, () => []);
  for (const each of invocations) {
    groups[Math.min(Math.floor((each.endedMs - startMs) / width), count - 1)]?.push(each);
  }
  return groups.map((group, index) => ({ start: new Date(startMs + index * width), ...summaryOf(group) }));
}
