import { useCollection } from '@cloudscape-design/collection-hooks';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { Loaded } from '../../aws/load.ts';
import { formatMs, formatTime } from '../../language/format.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { Empty, Problem } from '../../shell/Problem.tsx';
import type { Invocation } from './invocations.ts';

const PAGE_SIZE = 15;

interface Props {
  readonly loaded: Loaded<readonly Invocation[]>;
  readonly onLogs: (invocation: Invocation) => void;
}

/** The newest invokes as the log tells them, with a way to what each logged. */
export function RecentInvocations({ loaded, onLogs }: Props) {
  const t = useText();
  const language = useLanguage();
  const { data: invocations, error, loading, reload } = loaded;
  const { items, collectionProps, paginationProps } = useCollection(invocations ?? [], {
    pagination: { pageSize: PAGE_SIZE },
    sorting: {},
    filtering: { empty: <Empty title={t('noInvocations')}>{t('noInvocationsText')}</Empty> },
  });
  return (
    <Table
      {...collectionProps}
      header={
        <Header variant="h2" counter={invocations && `(${invocations.length.toLocaleString(language)})`}>
          {t('recentInvocations')}
        </Header>
      }
      footer={error !== undefined && <Problem error={error} retry={reload} />}
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
          // A UUID in one line.
          minWidth: 320,
          cell: (item) => (
            <Button variant="inline-link" onClick={() => onLogs(item)}>
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
