import { CloudWatchLogsClient, DeleteLogGroupCommand, type LogGroup } from '@aws-sdk/client-cloudwatch-logs';
import { useCollection } from '@cloudscape-design/collection-hooks';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { Frame } from '../shell/Frame.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { useLogGroups } from './logGroupList.ts';

const PAGE_SIZE = 25;

export default function LogGroupsPage() {
  const t = useText();
  const language = useLanguage();
  const logs = useClient(CloudWatchLogsClient);
  const { data, error, loading, reload } = useLogGroups();
  const [deleting, setDeleting] = useState<readonly LogGroup[]>([]);
  const { items, collectionProps, filterProps, paginationProps, actions } = useCollection(data ?? [], {
    filtering: {
      fields: ['logGroupName'],
      empty: <Empty title={t('noLogGroups')}>{t('noLogGroupsText')}</Empty>,
      noMatch: <Empty title={t('noMatch')}>{t('noMatchHint')}</Empty>,
    },
    pagination: { pageSize: PAGE_SIZE },
    sorting: { defaultState: { sortingColumn: { sortingField: 'logGroupName' } } },
    selection: { trackBy: 'logGroupName' },
  });
  const selected = collectionProps.selectedItems ?? [];
  return (
    <Frame contentType="table" crumbs={[{ text: t('logGroups') }]}>
      <Table
        {...collectionProps}
        variant="full-page"
        items={items}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        selectionType="multi"
        ariaLabels={{
          tableLabel: t('logGroups'),
          selectionGroupLabel: t('choose'),
          allItemsSelectionLabel: () => t('chooseAll'),
          itemSelectionLabel: (_, item) => t('chooseOne', { name: item.logGroupName ?? '' }),
        }}
        header={
          <SpaceBetween size="s">
            <Header
              variant="awsui-h1-sticky"
              counter={data && `(${data.length})`}
              description={t('logGroupsIntro')}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="refresh" ariaLabel={t('refresh')} onClick={reload} loading={loading} />
                  <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
                    {t('delete')}
                  </Button>
                </SpaceBetween>
              }
            >
              {t('logGroups')}
            </Header>
            <Problem error={error} retry={reload} />
          </SpaceBetween>
        }
        filter={
          <TextFilter
            {...filterProps}
            filteringPlaceholder={t('findLogGroups')}
            filteringAriaLabel={t('findLogGroups')}
          />
        }
        pagination={<Pagination {...paginationProps} />}
        columnDefinitions={[
          {
            id: 'name',
            header: t('logGroup'),
            isRowHeader: true,
            sortingField: 'logGroupName',
            cell: (item) => <PageLink to={ADDRESSES.logGroup(item.logGroupName ?? '')}>{item.logGroupName}</PageLink>,
          },
          {
            id: 'retention',
            header: t('retention'),
            cell: (item) => (item.retentionInDays ? t('days', { count: item.retentionInDays }) : t('retentionNever')),
          },
          { id: 'size', header: t('stored'), cell: (item) => formatBytes(item.storedBytes ?? 0, language) },
          { id: 'created', header: t('createdAt'), cell: (item) => formatTime(item.creationTime, language) },
        ]}
      />
      {deleting.length > 0 && (
        <ConfirmDialog
          title={t('deleteLogGroups', { count: deleting.length })}
          action={t('delete')}
          word={t('deleteWord')}
          onClose={() => setDeleting([])}
          onConfirm={async () => {
            for (const { logGroupName } of deleting) await logs.send(new DeleteLogGroupCommand({ logGroupName }));
            actions.setSelectedItems([]);
            reload();
          }}
        >
          {t('deleteLogGroupsText')}
        </ConfirmDialog>
      )}
    </Frame>
  );
}
