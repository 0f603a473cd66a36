import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { useCollection } from '@cloudscape-design/collection-hooks';
import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Grid from '@cloudscape-design/components/grid';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import LineChart from '@cloudscape-design/components/line-chart';
import Pagination from '@cloudscape-design/components/pagination';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useCallback, useMemo, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isNotImplemented } from '../../aws/errors.ts';
import { useLoad } from '../../aws/load.ts';
import { formatMs, formatTime } from '../../language/format.ts';
import { type Key, useLanguage, useText } from '../../language/language.ts';
import { LogViewer } from '../../log_groups/LogViewer.tsx';
import { searchLogs } from '../../log_groups/logSearch.ts';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { type Invocation, invocationsOf, PATTERN, slotsOf, summaryOf } from './invocations.ts';

const SLOTS = 24;
const PAGE_SIZE = 15;

const RANGES: readonly (readonly [string, Key, number])[] = [
  ['15m', 'last15Minutes', 15 * 60_000],
  ['1h', 'lastHour', 3_600_000],
  ['3h', 'last3Hours', 3 * 3_600_000],
  ['1d', 'lastDay', 86_400_000],
  ['7d', 'lastWeek', 7 * 86_400_000],
];

/** How the function has been doing, from its logs and from the metrics that the server keeps. */
export default function MonitorTab() {
  const t = useText();
  const { name, configuration } = useFunction();
  const logs = useClient(CloudWatchLogsClient);
  const group = configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  const [range, setRange] = useState('1h');
  const [pattern, setPattern] = useState('');
  const span = RANGES.find(([id]) => id === range)?.[2] ?? 3_600_000;
  const load = useCallback(
    async (signal: AbortSignal) => {
      const endMs = Date.now();
      const found = await searchLogs(logs, { group, pattern: PATTERN, startMs: endMs - span }, signal);
      return { ...found, invocations: invocationsOf(found.events), endMs, startMs: endMs - span };
    },
    [logs, group, span],
  );
  const { data, error, loading, reload } = useLoad(load);
  const showLogs = (requestId: string) => {
    setPattern(`"${requestId}"`);
    document.getElementById('function-logs')?.scrollIntoView({ behavior: 'smooth' });
  };
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description={t('monitorIntro')}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Select
                  ariaLabel={t('timeRange')}
                  selectedOption={{ value: range, label: t(RANGES.find(([id]) => id === range)?.[1] ?? 'lastHour') }}
                  options={RANGES.map(([value, key]) => ({ value, label: t(key) }))}
                  onChange={({ detail }) => setRange(detail.selectedOption.value ?? '1h')}
                />
                <Button iconName="refresh" ariaLabel={t('refresh')} loading={loading} onClick={reload} />
              </SpaceBetween>
            }
          >
            {t('invocations')}
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Problem error={error} retry={reload} />
          {data && <Totals invocations={data.invocations} />}
          {data && data.invocations.length > 0 && (
            <Charts invocations={data.invocations} startMs={data.startMs} endMs={data.endMs} />
          )}
        </SpaceBetween>
      </Container>
      <Recent invocations={data?.invocations} loading={loading} onLogs={showLogs} />
      <ServerMetrics name={name} spanMs={span} />
      <div id="function-logs">
        <LogViewer group={group} initialPattern={pattern} />
      </div>
    </SpaceBetween>
  );
}

function Totals({ invocations }: { readonly invocations: readonly Invocation[] }) {
  const t = useText();
  const language = useLanguage();
  const sum = summaryOf(invocations);
  const ms = (value: number | undefined) => (value === undefined ? '–' : formatMs(value, language));
  const rate = sum.count === 0 ? '–' : `${Math.round(((sum.count - sum.errors) / sum.count) * 1000) / 10} %`;
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: t('invocations'), value: sum.count.toLocaleString(language) },
        { label: t('errors'), value: sum.errors.toLocaleString(language) },
        { label: t('successRate'), value: rate },
        { label: t('coldStarts'), value: sum.coldStarts.toLocaleString(language) },
        { label: t('durationAt', { share: 'p50' }), value: ms(sum.p50) },
        { label: t('durationAt', { share: 'p95' }), value: ms(sum.p95) },
        { label: t('durationAt', { share: 'p99' }), value: ms(sum.p99) },
        { label: t('mostMemory'), value: sum.mostMb === undefined ? '–' : `${sum.mostMb} MB` },
      ]}
    />
  );
}

interface ChartsProps {
  readonly invocations: readonly Invocation[];
  readonly startMs: number;
  readonly endMs: number;
}

function Charts({ invocations, startMs, endMs }: ChartsProps) {
  const t = useText();
  const language = useLanguage();
  const slots = useMemo(() => slotsOf(invocations, startMs, endMs, SLOTS), [invocations, startMs, endMs]);
  const filled = slots.filter((slot) => slot.count > 0);
  const time = (moment: Date) =>
    endMs - startMs > 86_400_000
      ? moment.toLocaleDateString(language, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
      : moment.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
  const domain = slots.map((slot) => slot.start);
  const most = Math.max(...slots.map((slot) => slot.count), 1);
  const longest = Math.max(...filled.map((slot) => slot.p99 ?? 0), 1);
  const line = (title: string, value: (slot: (typeof slots)[number]) => number | undefined) => ({
    title,
    type: 'line' as const,
    data: filled.map((slot) => ({ x: slot.start, y: value(slot) ?? 0 })),
  });
  return (
    <Grid gridDefinition={[{ colspan: { default: 12, m: 6 } }, { colspan: { default: 12, m: 6 } }]}>
      <BarChart
        height={180}
        hideFilter
        stackedBars
        ariaLabel={t('invocations')}
        xScaleType="categorical"
        xDomain={domain}
        yDomain={[0, most]}
        i18nStrings={{ xTickFormatter: time }}
        series={[
          { title: t('succeeded'), type: 'bar', data: slots.map((s) => ({ x: s.start, y: s.count - s.errors })) },
          { title: t('errors'), type: 'bar', color: '#d13212', data: slots.map((s) => ({ x: s.start, y: s.errors })) },
        ]}
      />
      <LineChart
        height={180}
        hideFilter
        ariaLabel={t('duration')}
        xScaleType="time"
        xDomain={[new Date(startMs), new Date(endMs)]}
        yDomain={[0, longest]}
        i18nStrings={{ xTickFormatter: time, yTickFormatter: (value) => `${value} ms` }}
        series={[line('p50', (slot) => slot.p50), line('p95', (slot) => slot.p95), line('p99', (slot) => slot.p99)]}
      />
    </Grid>
  );
}

interface RecentProps {
  readonly invocations: readonly Invocation[] | undefined;
  readonly loading: boolean;
  readonly onLogs: (requestId: string) => void;
}

function Recent({ invocations, loading, onLogs }: RecentProps) {
  const t = useText();
  const language = useLanguage();
  const { items, collectionProps, paginationProps } = useCollection(invocations ?? [], {
    pagination: { pageSize: PAGE_SIZE },
    sorting: {},
    filtering: { empty: <Empty title={t('noInvocations')}>{t('noInvocationsText')}</Empty> },
  });
  return (
    <Table
      {...collectionProps}
      header={
        <Header variant="h2" counter={invocations && `(${invocations.length})`}>
          {t('recentInvocations')}
        </Header>
      }
      ariaLabels={{ tableLabel: t('recentInvocations') }}
      loading={loading && invocations === undefined}
      loadingText={t('loading')}
      items={items}
      pagination={<Pagination {...paginationProps} />}
      columnDefinitions={[
        {
          id: 'time',
          header: t('time'),
          sortingField: 'endedMs',
          cell: (item) => formatTime(item.endedMs, language),
        },
        {
          id: 'status',
          header: t('status'),
          sortingField: 'failed',
          cell: (item) => (
            <StatusIndicator type={item.failed ? 'error' : 'success'}>
              {item.failed ? (item.errorType ?? item.status ?? t('failed')) : t('succeeded')}
            </StatusIndicator>
          ),
        },
        {
          id: 'request',
          header: t('requestId'),
          isRowHeader: true,
          cell: (item) => (
            <Button variant="inline-link" onClick={() => onLogs(item.requestId)}>
              {item.requestId}
            </Button>
          ),
        },
        {
          id: 'duration',
          header: t('duration'),
          sortingField: 'durationMs',
          cell: (item) => formatMs(item.durationMs, language),
        },
        {
          id: 'billed',
          header: t('billedDuration'),
          sortingField: 'billedMs',
          cell: (item) => formatMs(item.billedMs, language),
        },
        {
          id: 'init',
          header: t('initDuration'),
          sortingField: 'initMs',
          cell: (item) => (item.initMs === undefined ? '–' : formatMs(item.initMs, language)),
        },
        {
          id: 'memory',
          header: t('memoryUsed'),
          sortingField: 'usedMb',
          cell: (item) => t('ofMemory', { used: item.usedMb, limit: item.memoryMb }),
        },
      ]}
    />
  );
}

const METRICS = [
  ['throttles', 'Throttles', 'Sum'],
  ['concurrency', 'ConcurrentExecutions', 'Maximum'],
] as const;

/** What only the server knows: invokes that were refused, and how many ran at once. */
function ServerMetrics({ name, spanMs }: { readonly name: string; readonly spanMs: number }) {
  const t = useText();
  const language = useLanguage();
  const cloudwatch = useClient(CloudWatchClient);
  const load = useCallback(
    async (signal: AbortSignal) => {
      const end = Date.now();
      const answer = await cloudwatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(end - spanMs),
          EndTime: new Date(end),
          ScanBy: 'TimestampAscending',
          MetricDataQueries: METRICS.map(([Id, MetricName, Stat]) => ({
            Id,
            MetricStat: {
              Metric: { Namespace: 'AWS/Lambda', MetricName, Dimensions: [{ Name: 'FunctionName', Value: name }] },
              Period: Math.max(60, Math.ceil(spanMs / SLOTS / 60_000) * 60),
              Stat,
            },
          })),
        }),
        { abortSignal: signal },
      );
      return answer.MetricDataResults ?? [];
    },
    [cloudwatch, name, spanMs],
  );
  const { data, error, loading, reload } = useLoad(load);
  const valuesOf = (id: string) => data?.find((result) => result.Id === id)?.Values ?? [];
  const throttles = valuesOf('throttles').reduce((total, value) => total + value, 0);
  return (
    <Container header={<Header variant="h2">{t('throttlesAndConcurrency')}</Header>}>
      {error !== undefined ? (
        isNotImplemented(error) ? (
          <Empty title={t('noMetrics')}>{t('noMetricsText')}</Empty>
        ) : (
          <Problem error={error} retry={reload} />
        )
      ) : loading && data === undefined ? (
        <Box>{t('loading')}</Box>
      ) : (
        <KeyValuePairs
          columns={2}
          items={[
            { label: t('throttles'), value: throttles.toLocaleString(language) },
            { label: t('mostConcurrent'), value: Math.max(0, ...valuesOf('concurrency')).toLocaleString(language) },
          ]}
        />
      )}
    </Container>
  );
}
