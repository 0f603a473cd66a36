/** Invokes as the log tells them: what each cost. */

import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import type { LogFocus } from '../../log_groups/logSearch.ts';
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

/** The invokes of one version. AWS: CloudWatch Logs, the names of a function's streams: `2026/01/31/[7]…`. */
export function ofVersion(invocations: readonly Invocation[], version: string): Invocation[] {
  return invocations.filter(({ stream }) => stream.includes(`[${version}]`));
}

/** Clocks of the report and of the log are read at moments that are not quite the same. */
const SLACK_MS = 2;

/** Where an invoke's own lines are: few of them name the request, but nobody else writes to its stream meanwhile. */
export function logsOf({ endedMs, durationMs, initMs = 0, restoreMs = 0, stream }: Invocation): LogFocus {
  const startMs = Math.floor(endedMs - durationMs - initMs - restoreMs) - SLACK_MS;
  return { pattern: '', stream, span: { startMs, endMs: endedMs + SLACK_MS } };
}
