/** Log events that match a pattern, in the order of their times. AWS: CloudWatch Logs, FilterLogEvents. */

import {
  type CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { isMissing } from '../aws/errors.ts';

export interface LogQuery {
  readonly group: string;
  readonly pattern: string;
  /** Milliseconds since the epoch; 0 for everything. */
  readonly startMs: number;
  /** The end, not included; absent for now. */
  readonly endMs?: number;
  readonly stream?: string;
}

/** What somebody wants to look at in a log. */
export interface LogFocus {
  readonly pattern: string;
  /** With a span only. */
  readonly stream?: string;
  readonly span?: { readonly startMs: number; readonly endMs: number };
}

/** More than anybody reads; the page says that there are more. */
export const MOST_EVENTS = 1000;

export interface Found {
  readonly events: readonly FilteredLogEvent[];
  readonly more: boolean;
  /** A group appears with the first invoke. */
  readonly groupMissing: boolean;
}

/** The newest MOST_EVENTS of the events. */
export async function searchLogs(
  logs: CloudWatchLogsClient,
  { group, pattern, startMs, endMs, stream }: LogQuery,
  signal?: AbortSignal,
): Promise<Found> {
  const events: FilteredLogEvent[] = [];
  let more = false;
  let nextToken: string | undefined;
  try {
    do {
      const page = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: group,
          filterPattern: pattern || undefined,
          startTime: startMs || undefined,
          endTime: endMs,
          logStreamNames: stream ? [stream] : undefined,
          nextToken,
        }),
        { abortSignal: signal },
      );
      events.push(...(page.events ?? []));
      if (events.length > MOST_EVENTS) {
        events.splice(0, events.length - MOST_EVENTS);
        more = true;
      }
      nextToken = page.nextToken;
    } while (nextToken && !signal?.aborted);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { events: [], more: false, groupMissing: true };
  }
  return { events, more, groupMissing: false };
}
