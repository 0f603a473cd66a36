/** A query over log groups, from its start to its last row. AWS: CloudWatch Logs user guide, "CloudWatch Logs Insights". */

import {
  type CloudWatchLogsClient,
  GetQueryResultsCommand,
  type QueryStatistics,
  type ResultField,
  StartQueryCommand,
  StopQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';

export interface LogQuery {
  readonly groups: readonly string[];
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/** A row's values by the names of their fields. */
export type Row = Readonly<Record<string, string>>;

export interface Answer {
  readonly rows: readonly Row[];
  /** The fields in the order in which the rows bring them. */
  readonly fields: readonly string[];
  readonly statistics: QueryStatistics;
  /** `Complete` at the end; what else ends a query is an error. */
  readonly status: string;
}

const FIRST_PAUSE_MS = 80;
const LONGEST_PAUSE_MS = 1000;
const UNDERWAY = new Set(['Scheduled', 'Running']);
/** The way to the whole event: for programs, not for people. */
const POINTER = '@ptr';

/**
 * Runs a query and tells what there is of its answer, again and again; stops it when nobody waits any more.
 * Throws an Error with the query's state where it did not complete.
 */
export async function runQuery(
  logs: CloudWatchLogsClient,
  { groups, text, startMs, endMs }: LogQuery,
  onAnswer: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { queryId } = await logs.send(
    new StartQueryCommand({
      logGroupNames: [...groups],
      queryString: text,
      startTime: Math.floor(startMs / 1000),
      endTime: Math.ceil(endMs / 1000),
    }),
  );
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    if (signal.aborted) {
      await logs.send(new StopQueryCommand({ queryId }));
      return;
    }
    const {
      status = 'Unknown',
      results = [],
      statistics = {},
    } = await logs.send(new GetQueryResultsCommand({ queryId }));
    if (signal.aborted) continue;
    onAnswer({ ...tableOf(results), statistics, status });
    if (!UNDERWAY.has(status)) {
      if (status !== 'Complete') throw new Error(status);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Rows and columns of what GetQueryResults answers. */
export function tableOf(results: readonly (readonly ResultField[])[]): Pick<Answer, 'rows' | 'fields'> {
  const fields = new Set<string>();
  const rows = results.map((cells) => {
    const row: Record<string, string> = {};
    for (const { field = '', value = '' } of cells) {
      if (field === POINTER) continue;
      fields.add(field);
      row[field] = value;
    }
    return row;
  });
  return { rows, fields: [...fields] };
}
