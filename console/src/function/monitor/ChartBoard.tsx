import Board, { type BoardProps } from '@cloudscape-design/board-components/board';
import { useText } from '../../language/language.ts';
import { type Placed, readLayout } from './boardLayout.ts';
import { MetricChart, type MetricChartProps } from './MetricChart.tsx';

/** A chart, by an id that stays the same. */
export type Chart = MetricChartProps & { readonly id: string };

interface Props {
  readonly charts: readonly Chart[];
  readonly layout: readonly Placed[] | undefined;
  readonly onLayout: (layout: readonly Placed[]) => void;
}

/** Charts that can be moved and resized. */
export function ChartBoard({ charts, layout, onLayout }: Props) {
  const t = useText();
  const placed = layout ?? readLayout(charts.map(({ id }) => id));
  const items = placed.flatMap(({ id, ...place }) => {
    const chart = charts.find((known) => known.id === id);
    return chart ? [{ id, ...place, data: chart }] : [];
  });
  const at = ({ placement }: { readonly placement: BoardProps.ItemPlacement }) =>
    t('chartAt', { row: placement.y + 1, column: placement.x + 1 });
  return (
    <Board<Chart>
      items={items}
      onItemsChange={({ detail }) =>
        onLayout(
          detail.items.map(({ id, rowSpan = 3, columnSpan = 2, columnOffset }) => ({
            id,
            rowSpan,
            columnSpan,
            columnOffset,
          })),
        )
      }
      renderItem={(item) => <MetricChart {...item.data} />}
      empty={null}
      i18nStrings={{
        liveAnnouncementDndStarted: (kind) => (kind === 'resize' ? t('chartResizing') : t('chartMoving')),
        liveAnnouncementDndItemReordered: at,
        liveAnnouncementDndItemInserted: at,
        liveAnnouncementDndItemResized: ({ placement }) =>
          t('chartSize', { rows: placement.height, columns: placement.width }),
        liveAnnouncementDndCommitted: () => t('chartPlaced'),
        liveAnnouncementDndDiscarded: () => t('chartNotPlaced'),
        liveAnnouncementItemRemoved: () => '',
        navigationAriaLabel: '',
        navigationItemAriaLabel: () => '',
      }}
    />
  );
}
