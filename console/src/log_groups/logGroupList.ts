import { CloudWatchLogsClient, DescribeLogGroupsCommand, type LogGroup } from '@aws-sdk/client-cloudwatch-logs';
import { useCallback } from 'react';
import { useClient } from '../aws/clients.ts';
import { type Loaded, useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';

/** All log groups of the region. */
export function useLogGroups(): Loaded<readonly LogGroup[]> {
  const logs = useClient(CloudWatchLogsClient);
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (nextToken: string | undefined) => {
        const page = await logs.send(new DescribeLogGroupsCommand({ nextToken }));
        return { items: page.logGroups, next: page.nextToken };
      }, signal),
    [logs],
  );
  return useLoad(load);
}
