import type { CloudWatchClient, GetMetricDataCommand, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { describe, expect, it } from 'vitest';
import { mostOf, periodOf, periodsOf, readMetrics, successRates, sumOf } from '../src/function/monitor/metrics.ts';
import { isUsable, spanOf } from '../src/function/monitor/timeRange.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (minute: number) => new Date(minute * MINUTE);

describe('periodOf', () => {
  it.each([
    [HOUR, 60],
    [3 * HOUR, 300],
    [24 * HOUR, 3600],
    [7 * 24 * HOUR, 6 * 3600],
    [455 * 24 * HOUR, 86_400],
  ])('makes a picture of %d ms', (length, period) => {
    expect(periodOf({ startMs: 0, endMs: length })).toBe(period);
  });
});

describe('periodsOf', () => {
  it('begins at a multiple and covers the end', () => {
    expect(periodsOf({ startMs: 1.5 * MINUTE, endMs: 3.5 * MINUTE }, 60)).toEqual([at(1), at(2), at(3)]);
  });
});

describe('readMetrics', () => {
  it('puts the pages of a series together', async () => {
    const pages = [
      { MetricDataResults: [{ Id: 'invocations', Timestamps: [at(1)], Values: [4] }], NextToken: 'more' },
      {
        MetricDataResults: [
          { Id: 'invocations', Timestamps: [at(2)], Values: [6] },
          { Id: 'errors', Timestamps: [at(2)], Values: [3] },
        ],
      },
    ];
    const client = { send: () => Promise.resolve(pages.shift()) } as unknown as CloudWatchClient;
    const metrics = await readMetrics(client, { functionName: 'f' }, { startMs: 0, endMs: 3 * MINUTE });
    expect(metrics.series.invocations).toEqual([
      { x: at(1), y: 4 },
      { x: at(2), y: 6 },
    ]);
    expect(sumOf(metrics.series.invocations)).toBe(10);
    expect(mostOf(metrics.series.invocations)).toBe(6);
    expect(mostOf(metrics.series.memory)).toBeUndefined();
    expect(successRates(metrics)).toEqual([
      { x: at(1), y: 100 },
      { x: at(2), y: 50 },
    ]);
  });
});

describe('readMetrics of an alias', () => {
  it.each([
    ['live', 'f:live'],
    ['$LATEST', 'f'],
  ])('asks for what callers named as %s, and for the version behind it', async (qualifier, resource) => {
    const asked: MetricDataQuery[] = [];
    const send = ({ input }: GetMetricDataCommand) => {
      asked.push(...(input.MetricDataQueries ?? []));
      return Promise.resolve({});
    };
    const subject = { functionName: 'f', called: { qualifier, version: '7' } };
    await readMetrics({ send } as unknown as CloudWatchClient, subject, { startMs: 0, endMs: MINUTE });
    const dimensions = (id: string) => asked.find(({ Id }) => Id === id)?.MetricStat?.Metric?.Dimensions;
    expect(dimensions('errors')).toEqual([
      { Name: 'FunctionName', Value: 'f' },
      { Name: 'Resource', Value: resource },
    ]);
    expect(dimensions('memory')).toEqual([
      { Name: 'function_name', Value: 'f' },
      { Name: 'version', Value: '7' },
    ]);
  });
});

describe('spanOf', () => {
  it('counts back from now, or takes what was named', () => {
    expect(spanOf({ type: 'relative', amount: 3, unit: 'hour' }, 10 * HOUR)).toEqual({
      startMs: 7 * HOUR,
      endMs: 10 * HOUR,
    });
    const named = { type: 'absolute', startDate: '2026-01-01T00:00:00Z', endDate: '2026-01-02T00:00:00Z' } as const;
    expect(spanOf(named, 0).endMs - spanOf(named, 0).startMs).toBe(24 * HOUR);
  });

  it('knows ranges of which there is nothing', () => {
    expect(isUsable({ type: 'absolute', startDate: '2026-01-02T00:00:00Z', endDate: '2026-01-01T00:00:00Z' })).toBe(
      false,
    );
    expect(isUsable({ type: 'relative', amount: 500, unit: 'day' })).toBe(false);
    expect(isUsable({ type: 'relative', amount: 1, unit: 'hour' })).toBe(true);
  });
});
