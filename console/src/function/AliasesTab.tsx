import {
  type AliasConfiguration,
  CreateAliasCommand,
  DeleteAliasCommand,
  LambdaClient,
  ListAliasesCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { FormDialog } from '../shell/FormDialog.tsx';
import { ManagedTable } from '../shell/ManagedTable.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { useFunction } from './functionContext.ts';
import { useVersions } from './VersionsTab.tsx';

const NO_VERSION = '';
const LATEST = '$LATEST';
const HINTS = [
  ['weight', /weight/i],
  ['second', /routingconfig|routing config/i],
  ['version', /functionversion/i],
  ['description', /description/i],
  ['name', /name|ResourceConflict/i],
] as const;

/** All aliases of a function. */
export function useAliases(name: string) {
  const lambda = useClient(LambdaClient);
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListAliasesCommand({ FunctionName: name, Marker }));
        return { items: page.Aliases, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  return useLoad(load);
}

/** Names for versions, with weights. */
export function AliasesTab() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const loaded = useAliases(name);
  return (
    <ManagedTable
      title={t('aliases')}
      description={t('aliasesText')}
      loaded={loaded}
      nameOf={(alias) => alias.Name ?? ''}
      empty={{ title: t('noAliases'), text: t('noAliasesText') }}
      columns={[
        {
          id: 'name',
          header: t('name'),
          isRowHeader: true,
          cell: (item) => <PageLink to={ADDRESSES.version(name, item.Name ?? '')}>{item.Name}</PageLink>,
        },
        { id: 'versions', header: t('versions'), cell: weightsOf },
        { id: 'description', header: t('description'), cell: (item) => item.Description || '–' },
      ]}
      add={{
        label: t('createAlias'),
        dialog: (close) => <AliasDialog alias={undefined} onClose={close} onDone={loaded.reload} />,
      }}
      edit={(alias, close) => <AliasDialog alias={alias} onClose={close} onDone={loaded.reload} />}
      remove={{
        title: (alias) => t('deleteAlias', { name: alias.Name ?? '' }),
        warning: t('deleteAliasText'),
        run: (alias) => lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: alias.Name })),
      }}
    />
  );
}

/** A share as a person reads it: 0.1 is 10, without the dust of floating point. */
function percentOf(weight: number): number {
  return Math.round(weight * 1000) / 10;
}

/** `3 (90 %), 4 (10 %)` */
function weightsOf(alias: AliasConfiguration): string {
  const other = Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
  if (other.length === 0) return alias.FunctionVersion ?? '–';
  const rest = 1 - other.reduce((sum, [, weight]) => sum + weight, 0);
  return [[alias.FunctionVersion ?? '', rest] as const, ...other]
    .map(([version, weight]) => `${version} (${percentOf(weight)} %)`)
    .join(', ');
}

interface DialogProps {
  readonly alias: AliasConfiguration | undefined;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function AliasDialog({ alias, onClose, onDone }: DialogProps) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name: functionName } = useFunction();
  const versions = useVersions(functionName);
  const [secondNow, weightNow] = Object.entries(alias?.RoutingConfig?.AdditionalVersionWeights ?? {})[0] ?? [];
  const [name, setName] = useState(alias?.Name ?? '');
  const [description, setDescription] = useState(alias?.Description ?? '');
  const [version, setVersion] = useState(alias?.FunctionVersion ?? LATEST);
  const [second, setSecond] = useState(secondNow ?? NO_VERSION);
  const [percent, setPercent] = useState(String(percentOf(weightNow ?? 0.1)));

  const numbers = (versions.data ?? []).map((item) => item.Version ?? '');
  const option = (value: string) => ({ value, label: value === NO_VERSION ? t('none') : value });
  const submit = () => {
    const asked = {
      FunctionName: functionName,
      Name: name,
      Description: description,
      FunctionVersion: version,
      RoutingConfig: {
        AdditionalVersionWeights: second === NO_VERSION ? {} : { [second]: Number(percent) / 100 },
      },
    };
    return alias ? lambda.send(new UpdateAliasCommand(asked)) : lambda.send(new CreateAliasCommand(asked));
  };
  return (
    <FormDialog
      title={alias ? t('editThis', { title: alias.Name ?? '' }) : t('createAlias')}
      action={t('save')}
      submit={submit}
      onClose={onClose}
      onDone={onDone}
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('name')} errorText={errorOf('name')}>
            <Input
              value={name}
              disabled={alias !== undefined}
              placeholder="live"
              autoFocus
              spellcheck={false}
              onChange={({ detail }) => setName(detail.value)}
            />
          </FormField>
          <FormField label={t('description')} errorText={errorOf('description')}>
            <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
          </FormField>
          <FormField label={t('version')} errorText={errorOf('version')}>
            <Select
              selectedOption={option(version)}
              options={[LATEST, ...numbers].map(option)}
              onChange={({ detail }) => setVersion(detail.selectedOption.value ?? version)}
            />
          </FormField>
          <FormField label={t('secondVersion')} description={t('secondVersionText')} errorText={errorOf('second')}>
            <Select
              selectedOption={option(second)}
              options={[NO_VERSION, ...numbers].map(option)}
              onChange={({ detail }) => setSecond(detail.selectedOption.value ?? NO_VERSION)}
            />
          </FormField>
          {second !== NO_VERSION && (
            <FormField label={t('weight')} constraintText={t('percent')} errorText={errorOf('weight')}>
              <Input
                type="number"
                inputMode="decimal"
                value={percent}
                onChange={({ detail }) => setPercent(detail.value)}
              />
            </FormField>
          )}
        </>
      )}
    </FormDialog>
  );
}
