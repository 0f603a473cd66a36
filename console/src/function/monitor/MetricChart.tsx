import BoardItem from '@cloudscape-design/board-components/board-item';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import MixedLineBarChart from '@cloudscape-design/components/mixed-line-bar-chart';
import { useLanguage, useText } from '../../language/language.ts';
import { type Metrics, mostOf, type Point } from './metrics.ts';
import type { Span } from './timeRange.ts';

const DAY_MS = 86_400_000;
/** At least; a chart grows with its place on the board. */
const HEIGHT = 150;

export interface Series {
  readonly title: string;
  readonly points: readonly Point[];
  /** Counts are bars, measures are lines. */
  readonly type: 'bar' | 'line';
  readonly color?: string;
}

export interface MetricChartProps {
  readonly title: string;
  readonly metrics: Metrics;
  readonly series: readonly Series[];
  readonly unit?: 'ms' | 'MB' | '%';
  /** The top of the axis, where it has one of its own. */
  readonly most?: number;
  /** A line that the values should stay below. */
  readonly limit?: { readonly title: string; readonly value: number };
  readonly onLogs: (span: Span) => void;
}

/** Metrics over time; a point leads to the logs of its period. */
export function MetricChart({ title, metrics, series, unit, most, limit, onLogs }: MetricChartProps) {
  const t = useText();
  const language = useLanguage();
  const { span, periods, periodS } = metrics;
  const top = most ?? Math.max(...series.map(({ points }) => mostOf(points) ?? 0), limit?.value ?? 0);
  const moment = (x: Date) =>
    span.endMs - span.startMs > DAY_MS
      ? x.toLocaleDateString(language, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
      : x.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
  const value = (y: number) => {
    const number = y.toLocaleString(language, { maximumFractionDigits: 1 });
    return unit ? `${number} ${unit}` : number;
  };
  return (
    <BoardItem
      header={<Header variant="h3">{title}</Header>}
      i18nStrings={{
        dragHandleAriaLabel: t('moveChart', { title }),
        dragHandleAriaDescription: t('moveChartText'),
        resizeHandleAriaLabel: t('resizeChart', { title }),
        resizeHandleAriaDescription: t('resizeChartText'),
      }}
    >
      <MixedLineBarChart
        height={HEIGHT}
        fitHeight
        hideFilter
        hideLegend={series.length === 1 && limit === undefined}
        ariaLabel={title}
        xScaleType="categorical"
        xDomain={[...periods]}
        yDomain={[0, top || 1]}
        i18nStrings={{ xTickFormatter: moment, yTickFormatter: value }}
        series={[
          ...series.map(({ title: name, points, type, color }) => ({
            title: name,
            type,
            color,
            data: [...points],
            valueFormatter: value,
          })),
          ...(limit ? [{ title: limit.title, type: 'threshold' as const, y: limit.value, valueFormatter: value }] : []),
        ]}
        detailPopoverFooter={(x) => (
          <Button
            variant="inline-link"
            onClick={() => onLogs({ startMs: x.getTime(), endMs: x.getTime() + periodS * 1000 })}
          >
            {t('logsOfPoint')}
          </Button>
        )}
        empty={<Box color="text-body-secondary">{t('noInvocations')}</Box>}
      />
    </BoardItem>
  );
}
