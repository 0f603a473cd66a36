/**
 * How a function has been doing, by period. AWS: Lambda developer guide, "Types of metrics for Lambda functions";
 * CloudWatch user guide, "Metrics collected by Lambda Insights" (init duration and memory).
 */

import {
  type CloudWatchClient,
  type Dimension,
  GetMetricDataCommand,
  type MetricDataQuery,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { allPages } from '../../aws/pages.ts';
import type { Span } from './timeRange.ts';

const LAMBDA = 'AWS/Lambda';
const INSIGHTS = 'LambdaInsights';
const LATEST = '$LATEST';

/** Whose metrics. */
export interface Subject {
  readonly functionName: string;
  /** What the callers named; absent for all of them together. */
  readonly called?: {
    readonly qualifier: string;
    /** Lambda Insights knows versions only: of an alias, the one behind it. */
    readonly version: string;
  };
}

/** By the id of the query: the namespace, the metric, the statistic. */
const SERIES = {
  invocations: [LAMBDA, 'Invocations', 'Sum'],
  errors: [LAMBDA, 'Errors', 'Sum'],
  throttles: [LAMBDA, 'Throttles', 'Sum'],
  p50: [LAMBDA, 'Duration', 'p50'],
  p95: [LAMBDA, 'Duration', 'p95'],
  p99: [LAMBDA, 'Duration', 'p99'],
  concurrency: [LAMBDA, 'ConcurrentExecutions', 'Maximum'],
  coldStarts: [INSIGHTS, 'init_duration', 'SampleCount'],
  init: [INSIGHTS, 'init_duration', 'Maximum'],
  memory: [INSIGHTS, 'used_memory_max', 'Maximum'],
} as const;

export type SeriesId = keyof typeof SERIES;

export interface Point {
  /** The start of its period. */
  readonly x: Date;
  readonly y: number;
}

export interface Metrics {
  readonly span: Span;
  readonly periodS: number;
  /** Every period of the span, for an axis that shows the quiet ones as well. */
  readonly periods: readonly Date[];
  /** Only periods in which something was measured. */
  readonly series: Readonly<Record<SeriesId, readonly Point[]>>;
}

const PERIODS_S = [60, 300, 900, 3600, 6 * 3600, 86_400] as const;
/** More points than this are no picture any more. */
const MOST_POINTS = 90;

/** The shortest period that does not make too many points. */
export function periodOf({ startMs, endMs }: Span): number {
  const seconds = (endMs - startMs) / 1000;
  return PERIODS_S.find((period) => seconds / period <= MOST_POINTS) ?? 86_400;
}

/** The starts of all periods within the span; periods begin at multiples of their length. */
export function periodsOf({ startMs, endMs }: Span, periodS: number): Date[] {
  const width = periodS * 1000;
  const first = Math.floor(startMs / width) * width;
  return Array.from({ length: Math.ceil((endMs - first) / width) }, (_, index) => new Date(first + index * width));
}

/** The dimensions that a namespace keeps a subject's metrics by. */
function dimensionsOf(namespace: string, { functionName, called }: Subject): Dimension[] {
  const [named, narrowed] = namespace === LAMBDA ? ['FunctionName', 'Resource'] : ['function_name', 'version'];
  if (called === undefined) return [{ Name: named, Value: functionName }];
  // Whoever names no qualifier calls $LATEST, under the function's bare name.
  const resource = called.qualifier === LATEST ? functionName : `${functionName}:${called.qualifier}`;
  return [
    { Name: named, Value: functionName },
    { Name: narrowed, Value: namespace === LAMBDA ? resource : called.version },
  ];
}

/** The metrics of a function, or of one of its versions or aliases. */
export async function readMetrics(
  cloudwatch: CloudWatchClient,
  subject: Subject,
  span: Span,
  signal?: AbortSignal,
): Promise<Metrics> {
  const periodS = periodOf(span);
  const periods = periodsOf(span, periodS);
  const MetricDataQueries = Object.entries(SERIES).map(
    ([Id, [Namespace, MetricName, Stat]]): MetricDataQuery => ({
      Id,
      MetricStat: {
        Metric: { Namespace, MetricName, Dimensions: dimensionsOf(Namespace, subject) },
        Period: periodS,
        Stat,
      },
    }),
  );
  const results = await allPages(async (NextToken: string | undefined) => {
    const page = await cloudwatch.send(
      new GetMetricDataCommand({
        StartTime: periods[0],
        EndTime: new Date(span.endMs),
        ScanBy: 'TimestampAscending',
        MetricDataQueries,
        NextToken,
      }),
      { abortSignal: signal },
    );
    return { items: page.MetricDataResults, next: page.NextToken };
  }, signal);
  return { span, periodS, periods, series: seriesOf(results) };
}

/** Points by series; a series may come in several pages. */
function seriesOf(results: readonly MetricDataResult[]): Metrics['series'] {
  const found = Object.fromEntries(Object.keys(SERIES).map((id) => [id, [] as Point[]])) as Record<SeriesId, Point[]>;
  for (const { Id, Timestamps = [], Values = [] } of results) {
    const points = found[Id as SeriesId];
    Timestamps.forEach((x, index) => {
      points?.push({ x, y: Values[index] ?? 0 });
    });
  }
  return found;
}

export function sumOf(points: readonly Point[]): number {
  return points.reduce((sum, { y }) => sum + y, 0);
}

/** The greatest value; undefined where nothing was measured. */
export function mostOf(points: readonly Point[]): number | undefined {
  return points.length > 0 ? Math.max(...points.map(({ y }) => y)) : undefined;
}

/** Percent of the invocations that did not fail, by period. */
export function successRates({ series }: Pick<Metrics, 'series'>): Point[] {
  const errors = new Map(series.errors.map(({ x, y }) => [x.getTime(), y]));
  return series.invocations.map(({ x, y }) => ({
    x,
    y: y > 0 ? (100 * (y - (errors.get(x.getTime()) ?? 0))) / y : 100,
  }));
}
