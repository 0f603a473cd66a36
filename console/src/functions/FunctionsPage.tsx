import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { useCollection } from '@cloudscape-design/collection-hooks';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { lazy, Suspense, useMemo, useState } from 'react';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { runtimeName } from '../runtimes/runtimes.ts';
import { ADDRESSES, BASE } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { useFollow } from '../shell/follow.ts';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { useFunctionList } from './functionList.ts';

// The list is usable without them.
const DeleteFunctions = lazy(() => import('./DeleteFunctions.tsx'));
const ListPreferences = lazy(() => import('./ListPreferences.tsx'));

const EVERY = '';

export function FunctionsPage() {
  const t = useText();
  const language = useLanguage();
  const { functions, loading, error, reload } = useFunctionList();
  const [runtime, setRuntime] = useState(EVERY);
  const [pageSize, setPageSize] = useState(25);
  const [deleting, setDeleting] = useState<readonly FunctionConfiguration[]>([]);
  const follow = useFollow();

  const runtimes = useMemo(() => [...new Set(functions.map((item) => item.Runtime ?? ''))].sort(), [functions]);
  const shown = useMemo(
    () => (runtime === EVERY ? functions : functions.filter((item) => item.Runtime === runtime)),
    [functions, runtime],
  );
  const { items, collectionProps, filterProps, paginationProps, filteredItemsCount, actions } = useCollection(shown, {
    filtering: {
      filteringFunction: (item, text) => {
        const wanted = text.toLowerCase();
        return [item.FunctionName, item.Description].some((field) => field?.toLowerCase().includes(wanted));
      },
      empty: (
        <Empty title={t('noFunctions')} action={<CreateButton />}>
          {t('noFunctionsYet')}
        </Empty>
      ),
      noMatch: (
        <Empty
          title={t('noMatch')}
          action={<Button onClick={() => actions.setFiltering('')}>{t('clearFilter')}</Button>}
        >
          {t('noMatchHint')}
        </Empty>
      ),
    },
    pagination: { pageSize },
    sorting: { defaultState: { sortingColumn: { sortingField: 'LastModified' }, isDescending: true } },
    selection: { trackBy: 'FunctionName' },
  });
  const selected = collectionProps.selectedItems ?? [];

  const columns: TableProps.ColumnDefinition<FunctionConfiguration>[] = [
    {
      id: 'name',
      header: t('functionName'),
      cell: (item) => <PageLink to={ADDRESSES.function(item.FunctionName ?? '')}>{item.FunctionName}</PageLink>,
      sortingField: 'FunctionName',
      isRowHeader: true,
      minWidth: 180,
    },
    { id: 'description', header: t('description'), cell: (item) => item.Description || '–', minWidth: 120 },
    {
      id: 'runtime',
      header: t('runtime'),
      cell: (item) => (item.PackageType === 'Image' ? t('image') : runtimeName(item.Runtime)),
      sortingField: 'Runtime',
      minWidth: 110,
    },
    {
      id: 'memory',
      header: t('memory'),
      cell: (item) => `${item.MemorySize} MB`,
      sortingField: 'MemorySize',
      minWidth: 100,
    },
    {
      id: 'size',
      header: t('codeSize'),
      cell: (item) => formatBytes(item.CodeSize ?? 0, language),
      sortingField: 'CodeSize',
      minWidth: 100,
    },
    {
      id: 'modified',
      header: t('lastModified'),
      cell: (item) => formatTime(item.LastModified, language),
      sortingField: 'LastModified',
      minWidth: 170,
    },
  ];

  return (
    <Frame contentType="table" crumbs={[{ text: t('functions') }]}>
      <Table
        {...collectionProps}
        variant="full-page"
        stickyHeader
        columnDefinitions={columns}
        items={items}
        selectionType="multi"
        loading={loading && functions.length === 0}
        loadingText={t('loading')}
        renderAriaLive={({ firstIndex, lastIndex }) => t('rows', { first: firstIndex, last: lastIndex })}
        ariaLabels={{
          tableLabel: t('functions'),
          selectionGroupLabel: t('choose'),
          allItemsSelectionLabel: () => t('chooseAll'),
          itemSelectionLabel: (_, item) => t('chooseOne', { name: item.FunctionName ?? '' }),
        }}
        header={
          <SpaceBetween size="s">
            <Header
              variant="awsui-h1-sticky"
              counter={`(${functions.length.toLocaleString(language)}${loading ? '…' : ''})`}
              description={t('functionsIntro')}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="refresh" ariaLabel={t('refresh')} onClick={reload} loading={loading} />
                  <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
                    {t('delete')}
                  </Button>
                  <Button variant="primary" href={BASE + ADDRESSES.create} onFollow={follow}>
                    {t('createFunction')}
                  </Button>
                </SpaceBetween>
              }
            >
              {t('functions')}
            </Header>
            <Problem error={error} retry={reload} />
          </SpaceBetween>
        }
        filter={
          <div className="filters">
            <TextFilter
              {...filterProps}
              filteringPlaceholder={t('findFunctions')}
              filteringAriaLabel={t('findFunctions')}
              countText={t('matches', { count: filteredItemsCount ?? 0 })}
            />
            <Select
              ariaLabel={t('runtime')}
              inlineLabelText={t('runtime')}
              selectedOption={{ value: runtime, label: runtime === EVERY ? t('every') : runtimeName(runtime) }}
              options={[
                { value: EVERY, label: t('every') },
                ...runtimes.map((id) => ({ value: id, label: runtimeName(id) })),
              ]}
              onChange={({ detail }) => setRuntime(detail.selectedOption.value ?? EVERY)}
            />
          </div>
        }
        pagination={
          <Pagination
            {...paginationProps}
            ariaLabels={{
              nextPageLabel: t('nextPage'),
              previousPageLabel: t('previousPage'),
              pageLabel: (page) => t('page', { page }),
            }}
          />
        }
        preferences={
          <Suspense fallback={null}>
            <ListPreferences pageSize={pageSize} onPageSize={setPageSize} />
          </Suspense>
        }
      />
      {deleting.length > 0 && (
        <Suspense fallback={null}>
          <DeleteFunctions
            functions={deleting}
            onDeleted={() => {
              actions.setSelectedItems([]);
              reload();
            }}
            onClose={() => setDeleting([])}
          />
        </Suspense>
      )}
    </Frame>
  );
}

function CreateButton() {
  const t = useText();
  const follow = useFollow();
  return (
    <Button href={BASE + ADDRESSES.create} onFollow={follow}>
      {t('createFunction')}
    </Button>
  );
}
