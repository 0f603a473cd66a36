import {
  DeleteFunctionCommand,
  type FunctionConfiguration,
  LambdaClient,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { useAction, useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { runtimeName } from '../runtimes/runtimes.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { useTell } from '../shell/notices.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { useFunction } from './functionContext.ts';

/** Published versions, the newest first. */
export function useVersions(name: string) {
  const lambda = useClient(LambdaClient);
  const load = useCallback(
    async (signal: AbortSignal) => {
      const versions = await allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: name, Marker }));
        return { items: page.Versions, next: page.NextMarker };
      }, signal);
      return versions.filter((version) => version.Version !== '$LATEST').reverse();
    },
    [lambda, name],
  );
  return useLoad(load);
}

export function VersionsTab() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const { data, error, loading, reload } = useVersions(name);
  const [publishing, setPublishing] = useState(false);
  const [deleting, setDeleting] = useState<FunctionConfiguration | null>(null);
  const publish = <Button onClick={() => setPublishing(true)}>{t('publishVersion')}</Button>;
  return (
    <SpaceBetween size="l">
      <Problem error={error} retry={reload} />
      <Table
        header={
          <Header variant="h2" counter={data && `(${data.length})`} actions={publish}>
            {t('versions')}
          </Header>
        }
        ariaLabels={{ tableLabel: t('versions') }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        trackBy="Version"
        empty={
          <Empty title={t('noVersions')} action={publish}>
            {t('noVersionsText')}
          </Empty>
        }
        columnDefinitions={[
          {
            id: 'version',
            header: t('version'),
            isRowHeader: true,
            cell: (item) => <PageLink to={ADDRESSES.version(name, item.Version ?? '')}>{item.Version}</PageLink>,
          },
          { id: 'description', header: t('description'), cell: (item) => item.Description || '–' },
          { id: 'runtime', header: t('runtime'), cell: (item) => runtimeName(item.Runtime) },
          { id: 'size', header: t('codeSize'), cell: (item) => formatBytes(item.CodeSize ?? 0, language) },
          { id: 'modified', header: t('lastModified'), cell: (item) => formatTime(item.LastModified, language) },
          {
            id: 'actions',
            header: t('actions'),
            cell: (item) => (
              <Button
                variant="inline-link"
                ariaLabel={t('deleteVersion', { version: item.Version ?? '' })}
                onClick={() => setDeleting(item)}
              >
                {t('delete')}
              </Button>
            ),
          },
        ]}
      />
      {publishing && <PublishDialog onClose={() => setPublishing(false)} onPublished={reload} />}
      {deleting && (
        <ConfirmDialog
          title={t('deleteVersion', { version: deleting.Version ?? '' })}
          action={t('delete')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: deleting.Version }));
            reload();
          }}
        >
          {t('deleteVersionText')}
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}

interface PublishProps {
  readonly onClose: () => void;
  readonly onPublished: () => void;
}

/** Freezes $LATEST under the next number. */
export function PublishDialog({ onClose, onPublished }: PublishProps) {
  const t = useText();
  const tell = useTell();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const [description, setDescription] = useState('');
  const { busy, error, run } = useAction();
  const publish = async () => {
    const done = await run(async () => {
      const { Version } = await lambda.send(
        new PublishVersionCommand({ FunctionName: name, Description: description || undefined }),
      );
      tell('success', t('published', { version: Version ?? '' }));
    });
    if (!done) return;
    onClose();
    onPublished();
  };
  return (
    <Modal
      visible
      header={t('publishVersion')}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} onClick={publish}>
              {t('publish')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Box>{t('publishText')}</Box>
        <FormField label={t('description')}>
          <Input value={description} onChange={({ detail }) => setDescription(detail.value)} autoFocus />
        </FormField>
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
