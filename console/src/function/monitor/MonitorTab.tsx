import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import DateRangePicker from '@cloudscape-design/components/date-range-picker';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { formatMs } from '../../language/format.ts';
import { type Key, useLanguage, useText } from '../../language/language.ts';
import { LogViewer } from '../../log_groups/LogViewer.tsx';
import { type LogFocus, searchLogs } from '../../log_groups/logSearch.ts';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { invocationsOf, logsOf, PATTERN } from './invocations.ts';
import { MetricChart, type Series } from './MetricChart.tsx';
import { type Metrics, mostOf, readMetrics, successRates, sumOf } from './metrics.ts';
import { RecentInvocations } from './RecentInvocations.tsx';
import { isUsable, RELATIVE_RANGES, type Span, spanOf, type TimeRange } from './timeRange.ts';

/** Cloudscape's colour of an error in a chart. */
const RED = 'var(--chart-bad)';

const RANGE_NAMES: Record<string, Key> = {
  '15m': 'last15Minutes',
  '1h': 'lastHour',
  '3h': 'last3Hours',
  '1d': 'lastDay',
  '7d': 'lastWeek',
};

/** How the function has been doing: its metrics, its invokes, its log. */
export default function MonitorTab() {
  const t = useText();
  const { name, configuration } = useFunction();
  const logs = useClient(CloudWatchLogsClient);
  const cloudwatch = useClient(CloudWatchClient);
  const group = configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  const [range, setRange] = useState<TimeRange>(RELATIVE_RANGES[1]);
  const [focus, setFocus] = useState<LogFocus | undefined>();
  const loadMetrics = useCallback(
    (signal: AbortSignal) => readMetrics(cloudwatch, name, spanOf(range, Date.now()), signal),
    [cloudwatch, name, range],
  );
  const loadInvocations = useCallback(
    async (signal: AbortSignal) => {
      const found = await searchLogs(logs, { group, pattern: PATTERN, ...spanOf(range, Date.now()) }, signal);
      return invocationsOf(found.events);
    },
    [logs, group, range],
  );
  const metrics = useLoad(loadMetrics);
  const invocations = useLoad(loadInvocations);
  const reload = () => {
    metrics.reload();
    invocations.reload();
  };
  const look = (wanted: LogFocus) => {
    setFocus(wanted);
    document.getElementById('function-logs')?.scrollIntoView({ behavior: 'smooth' });
  };
  const nameOf = (key: string | undefined) => t(RANGE_NAMES[key ?? ''] ?? 'timeRange');
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description={t('monitorIntro')}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <DateRangePicker
                  value={range}
                  onChange={({ detail }) => detail.value && setRange(detail.value)}
                  relativeOptions={RELATIVE_RANGES}
                  isValidRange={(wanted) =>
                    wanted && isUsable(wanted) ? { valid: true } : { valid: false, errorMessage: t('timeRangeInvalid') }
                  }
                  showClearButton={false}
                  ariaLabel={t('timeRange')}
                  i18nStrings={{ formatRelativeRange: ({ key }) => nameOf(key) }}
                />
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
      <div id="function-logs">
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
  const { series } = metrics;
  const common = { metrics, onLogs };
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
  return (
    <div className="charts">
      <MetricChart {...common} title={t('invocations')} series={[bar(t('invocations'), series.invocations)]} />
      <MetricChart
        {...common}
        title={t('duration')}
        unit="ms"
        series={[line('p50', series.p50), line('p95', series.p95), line('p99', series.p99)]}
      />
      <MetricChart {...common} title={t('errors')} series={[bar(t('errors'), series.errors, RED)]} />
      <MetricChart
        {...common}
        title={t('successRate')}
        unit="%"
        most={100}
        series={[bar(t('successRate'), successRates(metrics))]}
      />
      <MetricChart {...common} title={t('throttles')} series={[bar(t('throttles'), series.throttles, RED)]} />
      <MetricChart
        {...common}
        title={t('concurrentExecutions')}
        series={[bar(t('concurrentExecutions'), series.concurrency)]}
      />
      <MetricChart {...common} title={t('coldStarts')} series={[bar(t('coldStarts'), series.coldStarts)]} />
      <MetricChart {...common} title={t('initDuration')} unit="ms" series={[bar(t('initDuration'), series.init)]} />
      <MetricChart
        {...common}
        title={t('memoryUsed')}
        unit="MB"
        limit={{ title: t('memoryLimit'), value: memoryMb }}
        series={[bar(t('memoryUsed'), series.memory)]}
      />
    </div>
  );
}
