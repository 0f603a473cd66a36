import {
  DeleteLayerVersionCommand,
  LambdaClient,
  type LayerVersionsListItem,
  ListLayerVersionsCommand,
} from '@aws-sdk/client-lambda';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useState } from 'react';
import { useParams } from 'react-router-dom';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { Frame } from '../shell/Frame.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { PublishLayerDialog } from './PublishLayerDialog.tsx';

export default function LayerPage() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name = '' } = useParams();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListLayerVersionsCommand({ LayerName: name, Marker }));
        return { items: page.LayerVersions, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const { data, error, loading, reload } = useLoad(load);
  const [publishing, setPublishing] = useState(false);
  const [deleting, setDeleting] = useState<LayerVersionsListItem | null>(null);
  return (
    <Frame contentType="table" crumbs={[{ text: t('layers'), to: ADDRESSES.layers }, { text: name }]}>
      <Table
        variant="full-page"
        items={data ?? []}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        ariaLabels={{ tableLabel: t('versions') }}
        empty={<Empty title={t('noVersions')}>{t('noLayerVersionsText')}</Empty>}
        header={
          <SpaceBetween size="s">
            <Header
              variant="awsui-h1-sticky"
              counter={data && `(${data.length})`}
              actions={
                <Button variant="primary" onClick={() => setPublishing(true)}>
                  {t('publishLayerVersion')}
                </Button>
              }
            >
              {name}
            </Header>
            <Problem error={error} retry={reload} />
          </SpaceBetween>
        }
        columnDefinitions={[
          { id: 'version', header: t('version'), isRowHeader: true, cell: (item) => item.Version },
          {
            id: 'arn',
            header: 'ARN',
            cell: (item) => (
              <CopyToClipboard
                variant="inline"
                textToCopy={item.LayerVersionArn ?? ''}
                copyButtonAriaLabel={t('copyArn')}
                copySuccessText={t('copied')}
                copyErrorText={t('notCopied')}
              />
            ),
          },
          { id: 'description', header: t('description'), cell: (item) => item.Description || '–' },
          {
            id: 'runtimes',
            header: t('compatibleRuntimes'),
            cell: (item) => item.CompatibleRuntimes?.join(', ') || '–',
          },
          { id: 'created', header: t('createdAt'), cell: (item) => formatTime(item.CreatedDate, language) },
          {
            id: 'actions',
            header: t('actions'),
            cell: (item) => (
              <Button
                variant="inline-link"
                ariaLabel={t('deleteVersion', { version: item.Version ?? 0 })}
                onClick={() => setDeleting(item)}
              >
                {t('delete')}
              </Button>
            ),
          },
        ]}
      />
      {publishing && <PublishLayerDialog layer={name} onClose={() => setPublishing(false)} onPublished={reload} />}
      {deleting && (
        <ConfirmDialog
          title={t('deleteVersion', { version: deleting.Version ?? 0 })}
          action={t('delete')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await lambda.send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber: deleting.Version }));
            reload();
          }}
        >
          {t('deleteLayerVersionText')}
        </ConfirmDialog>
      )}
    </Frame>
  );
}
