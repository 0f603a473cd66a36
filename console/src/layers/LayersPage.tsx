import { LambdaClient, ListLayersCommand } from '@aws-sdk/client-lambda';
import { useCollection } from '@cloudscape-design/collection-hooks';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { PublishLayerDialog } from './PublishLayerDialog.tsx';

const PAGE_SIZE = 25;

export default function LayersPage() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListLayersCommand({ Marker }));
        return { items: page.Layers, next: page.NextMarker };
      }, signal),
    [lambda],
  );
  const { data, error, loading, reload } = useLoad(load);
  const [publishing, setPublishing] = useState(false);
  const publish = <Button onClick={() => setPublishing(true)}>{t('createLayer')}</Button>;
  const { items, collectionProps, filterProps, paginationProps } = useCollection(data ?? [], {
    filtering: {
      fields: ['LayerName'],
      empty: (
        <Empty title={t('noLayers')} action={publish}>
          {t('noLayersText')}
        </Empty>
      ),
      noMatch: <Empty title={t('noMatch')}>{t('noMatchHint')}</Empty>,
    },
    pagination: { pageSize: PAGE_SIZE },
    sorting: { defaultState: { sortingColumn: { sortingField: 'LayerName' } } },
  });
  return (
    <Frame contentType="table" crumbs={[{ text: t('layers') }]}>
      <Table
        {...collectionProps}
        variant="full-page"
        items={items}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        ariaLabels={{ tableLabel: t('layers') }}
        header={
          <SpaceBetween size="s">
            <Header
              variant="awsui-h1-sticky"
              counter={data && `(${data.length})`}
              description={t('layersIntro')}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="refresh" ariaLabel={t('refresh')} onClick={reload} loading={loading} />
                  <Button variant="primary" onClick={() => setPublishing(true)}>
                    {t('createLayer')}
                  </Button>
                </SpaceBetween>
              }
            >
              {t('layers')}
            </Header>
            <Problem error={error} retry={reload} />
          </SpaceBetween>
        }
        filter={
          <TextFilter {...filterProps} filteringPlaceholder={t('findLayers')} filteringAriaLabel={t('findLayers')} />
        }
        pagination={<Pagination {...paginationProps} />}
        columnDefinitions={[
          {
            id: 'name',
            header: t('name'),
            isRowHeader: true,
            sortingField: 'LayerName',
            cell: (item) => <PageLink to={ADDRESSES.layer(item.LayerName ?? '')}>{item.LayerName}</PageLink>,
          },
          { id: 'version', header: t('newestVersion'), cell: (item) => item.LatestMatchingVersion?.Version },
          {
            id: 'description',
            header: t('description'),
            cell: (item) => item.LatestMatchingVersion?.Description || '–',
          },
          {
            id: 'runtimes',
            header: t('compatibleRuntimes'),
            cell: (item) => item.LatestMatchingVersion?.CompatibleRuntimes?.join(', ') || '–',
          },
          {
            id: 'created',
            header: t('createdAt'),
            cell: (item) => formatTime(item.LatestMatchingVersion?.CreatedDate, language),
          },
        ]}
      />
      {publishing && <PublishLayerDialog onClose={() => setPublishing(false)} onPublished={reload} />}
    </Frame>
  );
}
