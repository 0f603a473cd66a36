import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import MixedLineBarChart from '@cloudscape-design/components/mixed-line-bar-chart';
import { useLanguage, useText } from '../../language/language.ts';
import { type Metrics, mostOf, type Point } from './metrics.ts';
import type { Span } from './timeRange.ts';

const DAY_MS = 86_400_000;
const HEIGHT = 150;

export interface Series {
  readonly title: string;
  readonly points: readonly Point[];
  /** Counts are bars, measures are lines. */
  readonly type: 'bar' | 'line';
  readonly color?: string;
}

interface Props {
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
export function MetricChart({ title, metrics, series, unit, most, limit, onLogs }: Props) {
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
    <Container header={<Header variant="h3">{title}</Header>} fitHeight>
      <MixedLineBarChart
        height={HEIGHT}
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
    </Container>
  );
}
