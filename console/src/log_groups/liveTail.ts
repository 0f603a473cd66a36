/** New log events as they come. AWS: CloudWatch Logs, StartLiveTail. */

import {
  type CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  type FilteredLogEvent,
  StartLiveTailCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { newId } from '../shell/newId.ts';
import { type LogQuery, MOST_EVENTS } from './logSearch.ts';

/** A tail names its groups by ARN. Undefined where the group is not there yet. */
async function arnOf(logs: CloudWatchLogsClient, group: string, signal: AbortSignal): Promise<string | undefined> {
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }), {
    abortSignal: signal,
  });
  return logGroups?.find(({ logGroupName }) => logGroupName === group)?.logGroupArn;
}

export interface Tail {
  /** Events are not missed from now on. */
  readonly onStart: () => void;
  readonly onEvents: (events: readonly FilteredLogEvent[]) => void;
}

/** Follows a group until the signal says so. Resolves at once where the group is not there. */
export async function followLogs(
  logs: CloudWatchLogsClient,
  { group, pattern, stream }: LogQuery,
  { onStart, onEvents }: Tail,
  signal: AbortSignal,
): Promise<void> {
  const arn = await arnOf(logs, group, signal);
  if (arn === undefined) return;
  // A session ends after some hours; whoever still looks gets another one.
  while (!signal.aborted) {
    const { responseStream } = await logs.send(
      new StartLiveTailCommand({
        logGroupIdentifiers: [arn],
        logStreamNames: stream ? [stream] : undefined,
        logEventFilterPattern: pattern || undefined,
      }),
      { abortSignal: signal },
    );
    for await (const told of responseStream ?? []) {
      if (told.sessionStart) onStart();
      const results = told.sessionUpdate?.sessionResults ?? [];
      if (results.length > 0) onEvents(results.map((event) => ({ ...event, eventId: newId() })));
    }
  }
}

const identityOf = (event: FilteredLogEvent) => `${event.logStreamName} ${event.timestamp} ${event.message}`;

/** Events of a search, with those that a tail told meanwhile behind them; what both have is there once. */
export function withTail(
  searched: readonly FilteredLogEvent[],
  told: readonly FilteredLogEvent[],
): readonly FilteredLogEvent[] {
  const known = new Set(searched.map(identityOf));
  return [...searched, ...told.filter((event) => !known.has(identityOf(event)))].slice(-MOST_EVENTS);
}
