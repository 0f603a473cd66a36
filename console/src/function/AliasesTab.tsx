import {
  type AliasConfiguration,
  CreateAliasCommand,
  DeleteAliasCommand,
  LambdaClient,
  ListAliasesCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { isNotImplemented } from '../aws/errors.ts';
import { useAction, useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { useFunction } from './functionContext.ts';
import { useVersions } from './VersionsTab.tsx';

const NO_VERSION = '';
const LATEST = '$LATEST';

/** Names for versions, with weights. */
export function AliasesTab() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListAliasesCommand({ FunctionName: name, Marker }));
        return { items: page.Aliases, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const { data, error, loading, reload } = useLoad(load);
  const [editing, setEditing] = useState<AliasConfiguration | 'new' | null>(null);
  const [deleting, setDeleting] = useState<AliasConfiguration | null>(null);
  if (isNotImplemented(error)) return <Problem error={error} />;
  const create = <Button onClick={() => setEditing('new')}>{t('createAlias')}</Button>;
  return (
    <SpaceBetween size="l">
      <Problem error={error} retry={reload} />
      <Table
        header={
          <Header variant="h2" counter={data && `(${data.length})`} actions={create}>
            {t('aliases')}
          </Header>
        }
        ariaLabels={{ tableLabel: t('aliases') }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        trackBy="Name"
        empty={
          <Empty title={t('noAliases')} action={create}>
            {t('noAliasesText')}
          </Empty>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: t('name'),
            isRowHeader: true,
            cell: (item) => <PageLink to={ADDRESSES.version(name, item.Name ?? '')}>{item.Name}</PageLink>,
          },
          { id: 'versions', header: t('versions'), cell: weightsOf },
          { id: 'description', header: t('description'), cell: (item) => item.Description || '–' },
          {
            id: 'actions',
            header: t('actions'),
            cell: (item) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={t('editThis', { title: item.Name ?? '' })}
                  onClick={() => setEditing(item)}
                >
                  {t('edit')}
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={t('deleteAlias', { name: item.Name ?? '' })}
                  onClick={() => setDeleting(item)}
                >
                  {t('delete')}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
      />
      {editing && (
        <AliasDialog
          alias={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(null)}
          onSaved={reload}
        />
      )}
      {deleting && (
        <ConfirmDialog
          title={t('deleteAlias', { name: deleting.Name ?? '' })}
          action={t('delete')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: deleting.Name }));
            reload();
          }}
        >
          {t('deleteAliasText')}
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}

/** `3 (90 %), 4 (10 %)` */
function weightsOf(alias: AliasConfiguration): string {
  const other = Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
  if (other.length === 0) return alias.FunctionVersion ?? '–';
  const percent = (weight: number) => `${Math.round(weight * 1000) / 10} %`;
  const rest = 1 - other.reduce((sum, [, weight]) => sum + weight, 0);
  return [[alias.FunctionVersion ?? '', rest] as const, ...other]
    .map(([version, weight]) => `${version} (${percent(weight)})`)
    .join(', ');
}

interface DialogProps {
  readonly alias: AliasConfiguration | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function AliasDialog({ alias, onClose, onSaved }: DialogProps) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name: functionName } = useFunction();
  const versions = useVersions(functionName);
  const [secondNow, weightNow] = Object.entries(alias?.RoutingConfig?.AdditionalVersionWeights ?? {})[0] ?? [];
  const [name, setName] = useState(alias?.Name ?? '');
  const [description, setDescription] = useState(alias?.Description ?? '');
  const [version, setVersion] = useState(alias?.FunctionVersion ?? LATEST);
  const [second, setSecond] = useState(secondNow ?? NO_VERSION);
  const [percent, setPercent] = useState(String((weightNow ?? 0.1) * 100));
  const { busy, error, run } = useAction();

  const numbers = (versions.data ?? []).map((item) => item.Version ?? '');
  const option = (value: string) => ({ value, label: value === NO_VERSION ? t('none') : value });
  const save = async () => {
    const asked = {
      FunctionName: functionName,
      Name: name,
      Description: description,
      FunctionVersion: version,
      RoutingConfig: {
        AdditionalVersionWeights: second === NO_VERSION ? {} : { [second]: Number(percent) / 100 },
      },
    };
    if (
      await run(async () =>
        alias ? lambda.send(new UpdateAliasCommand(asked)) : lambda.send(new CreateAliasCommand(asked)),
      )
    ) {
      onClose();
      onSaved();
    }
  };
  return (
    <Modal
      visible
      header={alias ? t('editThis', { title: alias.Name ?? '' }) : t('createAlias')}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} onClick={save}>
              {t('save')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label={t('name')}>
          <Input value={name} disabled={alias !== undefined} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        <FormField label={t('description')}>
          <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
        </FormField>
        <FormField label={t('version')}>
          <Select
            selectedOption={option(version)}
            options={[LATEST, ...numbers].map(option)}
            onChange={({ detail }) => setVersion(detail.selectedOption.value ?? version)}
          />
        </FormField>
        <FormField label={t('secondVersion')} description={t('secondVersionText')}>
          <Select
            selectedOption={option(second)}
            options={[NO_VERSION, ...numbers].map(option)}
            onChange={({ detail }) => setSecond(detail.selectedOption.value ?? NO_VERSION)}
          />
        </FormField>
        {second !== NO_VERSION && (
          <FormField label={t('weight')} constraintText={t('percent')}>
            <Input
              type="number"
              inputMode="decimal"
              value={percent}
              onChange={({ detail }) => setPercent(detail.value)}
            />
          </FormField>
        )}
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
