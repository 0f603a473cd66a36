import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useRef, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { formatMs } from '../../language/format.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { LogViewer } from '../../log_groups/LogViewer.tsx';
import { type LogFocus, searchLogs } from '../../log_groups/logSearch.ts';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { useQualifiers } from '../qualifiers.ts';
import { forgetLayout, hasLayout, keepLayout, type Placed } from './boardLayout.ts';
import { type Chart, ChartBoard } from './ChartBoard.tsx';
import { invocationsOf, logsOf, ofVersion, PATTERN } from './invocations.ts';
import type { Series } from './MetricChart.tsx';
import { type Metrics, mostOf, readMetrics, type SeriesId, successRates, sumOf } from './metrics.ts';
import { RecentInvocations } from './RecentInvocations.tsx';
import { TimeRangePicker } from './TimeRangePicker.tsx';
import { RELATIVE_RANGES, type Span, spanOf, type TimeRange } from './timeRange.ts';

/** Cloudscape's colour of an error in a chart. */
const RED = 'var(--chart-bad)';

/** No choice of a version: all calls together. */
const EVERY = '';

/** How the function has been doing: its metrics, its invokes, its log. */
export default function MonitorTab() {
  const t = useText();
  const { name, qualifier, configuration } = useFunction();
  const { options, versionOf } = useQualifiers(name);
  const [chosen, setChosen] = useState(qualifier ?? EVERY);
  const version = chosen === EVERY ? undefined : versionOf(chosen);
  const logs = useClient(CloudWatchLogsClient);
  const cloudwatch = useClient(CloudWatchClient);
  const group = configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  const [range, setRange] = useState<TimeRange>(RELATIVE_RANGES[1]);
  const [focus, setFocus] = useState<LogFocus | undefined>();
  const logsPlace = useRef<HTMLDivElement>(null);
  const loadMetrics = useCallback(
    (signal: AbortSignal) => {
      const called = version === undefined ? undefined : { qualifier: chosen, version };
      return readMetrics(cloudwatch, { functionName: name, called }, spanOf(range, Date.now()), signal);
    },
    [cloudwatch, name, chosen, version, range],
  );
  const loadInvocations = useCallback(
    async (signal: AbortSignal) => {
      const found = await searchLogs(logs, { group, pattern: PATTERN, ...spanOf(range, Date.now()) }, signal);
      const all = invocationsOf(found.events);
      return version === undefined ? all : ofVersion(all, version);
    },
    [logs, group, version, range],
  );
  const metrics = useLoad(loadMetrics);
  const invocations = useLoad(loadInvocations);
  const reload = () => {
    metrics.reload();
    invocations.reload();
  };
  const look = (wanted: LogFocus) => {
    setFocus(wanted);
    // With the focus: a popover of a chart closes, and whoever uses the keyboard goes on from there.
    logsPlace.current?.focus({ preventScroll: true });
    logsPlace.current?.scrollIntoView({ behavior: 'smooth' });
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
                  ariaLabel={t('qualifier')}
                  selectedOption={{ value: chosen, label: chosen || t('everyVersion') }}
                  options={[
                    { value: EVERY, label: t('everyVersion') },
                    { value: '$LATEST', label: '$LATEST' },
                    ...options,
                  ]}
                  onChange={({ detail }) => setChosen(detail.selectedOption.value ?? EVERY)}
                />
                <TimeRangePicker range={range} onChange={setRange} />
                <Button
                  iconName="refresh"
                  ariaLabel={t('refresh')}
                  loading={metrics.loading || invocations.loading}
                  onClick={reload}
                />
              </SpaceBetween>
            }
          >
            {t('metrics')}
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Problem error={metrics.error} retry={reload} />
          {version !== undefined && version !== chosen && (
            <Box color="text-body-secondary">{t('aliasMetrics', { alias: chosen, version })}</Box>
          )}
          {metrics.data ? <Totals metrics={metrics.data} /> : metrics.loading && <Box>{t('loading')}</Box>}
        </SpaceBetween>
      </Container>
      {metrics.data && (
        <Charts
          metrics={metrics.data}
          memoryMb={configuration.MemorySize ?? 0}
          onLogs={(span) => look({ pattern: '', span })}
        />
      )}
      <RecentInvocations loaded={invocations} onLogs={(invocation) => look(logsOf(invocation))} />
      <div ref={logsPlace} tabIndex={-1} className="function-logs">
        <LogViewer group={group} focus={focus} />
      </div>
    </SpaceBetween>
  );
}

function Totals({ metrics }: { readonly metrics: Metrics }) {
  const t = useText();
  const language = useLanguage();
  const { series } = metrics;
  const count = (value: number) => value.toLocaleString(language);
  const [calls, errors] = [sumOf(series.invocations), sumOf(series.errors)];
  const rate = calls === 0 ? '–' : `${count(Math.round((1000 * (calls - errors)) / calls) / 10)} %`;
  const slowest = mostOf(series.p99);
  const memory = mostOf(series.memory);
  return (
    <div data-testid="totals">
      <KeyValuePairs
        columns={4}
        items={[
          { label: t('invocations'), value: count(calls) },
          { label: t('errors'), value: count(errors) },
          { label: t('successRate'), value: rate },
          { label: t('throttles'), value: count(sumOf(series.throttles)) },
          { label: t('coldStarts'), value: count(sumOf(series.coldStarts)) },
          { label: t('mostConcurrent'), value: count(mostOf(series.concurrency) ?? 0) },
          { label: t('slowest'), value: slowest === undefined ? '–' : formatMs(slowest, language) },
          { label: t('mostMemory'), value: memory === undefined ? '–' : `${count(memory)} MB` },
        ]}
      />
    </div>
  );
}

interface ChartsProps {
  readonly metrics: Metrics;
  readonly memoryMb: number;
  readonly onLogs: (span: Span) => void;
}

function Charts({ metrics, memoryMb, onLogs }: ChartsProps) {
  const t = useText();
  const [layout, setLayout] = useState<readonly Placed[] | undefined>();
  const [moved, setMoved] = useState(hasLayout);
  const { series } = metrics;
  const bar = (title: string, points: Series['points'], color?: string): Series => ({
    title,
    points,
    color,
    type: 'bar',
  });
  // A line needs two points: whoever ran the function once sees a bar.
  const line = (title: string, points: Series['points']): Series => ({
    title,
    points,
    type: points.length > 1 ? 'line' : 'bar',
  });
  const chart = (id: string, title: string, shown: Series[], rest: Partial<Chart> = {}): Chart => ({
    id,
    title,
    series: shown,
    metrics,
    onLogs,
    ...rest,
  });
  const simple = (id: SeriesId, title: string, color?: string, rest?: Partial<Chart>) =>
    chart(id, title, [bar(title, series[id], color)], rest);
  const charts = [
    simple('invocations', t('invocations')),
    chart('duration', t('duration'), [line('p50', series.p50), line('p95', series.p95), line('p99', series.p99)], {
      unit: 'ms',
    }),
    simple('errors', t('errors'), RED),
    chart('successRate', t('successRate'), [bar(t('successRate'), successRates(metrics))], { unit: '%', most: 100 }),
    simple('throttles', t('throttles'), RED),
    simple('concurrency', t('concurrentExecutions')),
    simple('coldStarts', t('coldStarts')),
    simple('init', t('initDuration'), undefined, { unit: 'ms' }),
    simple('memory', t('memoryUsed'), undefined, {
      unit: 'MB',
      limit: { title: t('memoryLimit'), value: memoryMb },
    }),
  ];
  return (
    <SpaceBetween size="s">
      <ChartBoard
        charts={charts}
        layout={layout}
        onLayout={(changed) => {
          keepLayout(changed);
          setLayout(changed);
          setMoved(true);
        }}
      />
      {moved && (
        <Box float="right">
          <Button
            iconName="undo"
            onClick={() => {
              forgetLayout();
              setLayout(undefined);
              setMoved(false);
            }}
          >
            {t('resetCharts')}
          </Button>
        </Box>
      )}
    </SpaceBetween>
  );
}
