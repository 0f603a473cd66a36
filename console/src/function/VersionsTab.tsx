import {
  DeleteFunctionCommand,
  LambdaClient,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { formatBytes, formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { runtimeName } from '../runtimes/runtimes.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { FormDialog } from '../shell/FormDialog.tsx';
import { ManagedTable } from '../shell/ManagedTable.tsx';
import { useTell } from '../shell/notices.tsx';
import { PageLink } from '../shell/PageLink.tsx';
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
  const versions = useVersions(name);
  return (
    <ManagedTable
      title={t('versions')}
      description={t('versionsText')}
      loaded={versions}
      nameOf={(item) => item.Version ?? ''}
      empty={{ title: t('noVersions'), text: t('noVersionsText') }}
      columns={[
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
      ]}
      add={{
        label: t('publishVersion'),
        dialog: (close) => <PublishDialog onClose={close} onPublished={versions.reload} />,
      }}
      remove={{
        title: (item) => t('deleteVersion', { version: item.Version ?? '' }),
        warning: t('deleteVersionText'),
        run: (item) => lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: item.Version })),
      }}
    />
  );
}

interface PublishProps {
  readonly onClose: () => void;
  readonly onPublished: () => void;
}

const HINTS = [['description', /description/i]] as const;

/** Freezes $LATEST under the next number. */
export function PublishDialog({ onClose, onPublished }: PublishProps) {
  const t = useText();
  const tell = useTell();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const [description, setDescription] = useState('');
  const publish = async () => {
    const { Version } = await lambda.send(
      new PublishVersionCommand({ FunctionName: name, Description: description || undefined }),
    );
    tell('success', t('published', { version: Version ?? '' }));
  };
  return (
    <FormDialog
      title={t('publishVersion')}
      action={t('publish')}
      submit={publish}
      onClose={onClose}
      onDone={onPublished}
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <Box>{t('publishText')}</Box>
          <FormField label={t('description')} errorText={errorOf('description')}>
            <Input value={description} onChange={({ detail }) => setDescription(detail.value)} autoFocus />
          </FormField>
        </>
      )}
    </FormDialog>
  );
}
