import {
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetFunctionConcurrencyCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  type ProvisionedConcurrencyConfigListItem,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useCallback, useEffect, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { allPages } from '../../aws/pages.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { FormDialog } from '../../shell/FormDialog.tsx';
import { ManagedTable } from '../../shell/ManagedTable.tsx';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { useQualifiers } from '../qualifiers.ts';
import { EditableSection } from './EditableSection.tsx';

const RESERVED_HINTS = [['count', /concurren/i]] as const;
const PROVISIONED_HINTS = [
  ['qualifier', /qualifier|version|alias/i],
  ['count', /concurren/i],
] as const;
/** How often the allocation is looked at while environments start. */
const LOOK_MS = 1000;

/** Reserved and provisioned concurrency. */
export function Concurrency() {
  return (
    <SpaceBetween size="l">
      <Reserved />
      <Provisioned />
    </SpaceBetween>
  );
}

function Reserved() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const load = useCallback(
    async () =>
      (await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: name }))).ReservedConcurrentExecutions ??
      null,
    [lambda, name],
  );
  const { data, error, reload } = useLoad(load);
  const [reserved, setReserved] = useState(false);
  const [count, setCount] = useState('0');
  const shown = data === null || data === undefined ? t('unreservedPool') : data.toLocaleString(language);
  return (
    <EditableSection
      title={t('reservedConcurrency')}
      description={t('reservedText')}
      view={error !== undefined ? <Problem error={error} retry={reload} /> : undefined}
      pairs={[{ label: t('reservedConcurrency'), value: shown }]}
      onEdit={() => {
        setReserved(typeof data === 'number');
        setCount(String(data ?? 1));
      }}
      onSaved={reload}
      save={() =>
        reserved
          ? lambda.send(
              new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: Number(count) }),
            )
          : lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }))
      }
      hints={RESERVED_HINTS}
    >
      {(errorOf) => (
        <>
          <RadioGroup
            value={reserved ? 'reserved' : 'pool'}
            onChange={({ detail }) => setReserved(detail.value === 'reserved')}
            items={[
              { value: 'pool', label: t('useUnreserved') },
              { value: 'reserved', label: t('reserve') },
            ]}
          />
          {reserved && (
            <FormField
              label={t('reservedConcurrency')}
              constraintText={t('zeroThrottles')}
              errorText={errorOf('count')}
            >
              <Input type="number" value={count} onChange={({ detail }) => setCount(detail.value)} />
            </FormField>
          )}
        </>
      )}
    </EditableSection>
  );
}

function Provisioned() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name, Marker }));
        return { items: page.ProvisionedConcurrencyConfigs, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const loaded = useLoad(load);
  const { data, reload } = loaded;
  useEffect(() => {
    if (!data?.some((item) => item.Status === 'IN_PROGRESS')) return;
    const timer = setTimeout(reload, LOOK_MS);
    return () => clearTimeout(timer);
  }, [data, reload]);
  return (
    <ManagedTable
      title={t('provisionedConcurrency')}
      description={t('provisionedText')}
      loaded={loaded}
      nameOf={qualifierOf}
      empty={{ title: t('noProvisioned'), text: t('noProvisionedText') }}
      columns={[
        { id: 'qualifier', header: t('qualifier'), isRowHeader: true, cell: qualifierOf },
        { id: 'asked', header: t('requested'), cell: (item) => item.RequestedProvisionedConcurrentExecutions },
        { id: 'there', header: t('allocated'), cell: (item) => item.AllocatedProvisionedConcurrentExecutions },
        { id: 'status', header: t('status'), cell: (item) => <ProvisionedStatus item={item} /> },
      ]}
      add={{
        label: t('addProvisioned'),
        dialog: (close) => <ProvisionedDialog onClose={close} onDone={reload} />,
      }}
      edit={(item, close) => <ProvisionedDialog item={item} onClose={close} onDone={reload} />}
      remove={{
        title: (item) => t('deleteThis', { name: qualifierOf(item) }),
        warning: t('deleteProvisionedText'),
        run: (item) =>
          lambda.send(
            new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: name, Qualifier: qualifierOf(item) }),
          ),
      }}
    />
  );
}

function qualifierOf(item: ProvisionedConcurrencyConfigListItem): string {
  return item.FunctionArn?.split(':').at(-1) ?? '';
}

function ProvisionedStatus({ item }: { readonly item: ProvisionedConcurrencyConfigListItem }) {
  const t = useText();
  if (item.Status === 'FAILED') return <StatusIndicator type="error">{item.StatusReason}</StatusIndicator>;
  if (item.Status === 'IN_PROGRESS') return <StatusIndicator type="in-progress">{t('starting')}</StatusIndicator>;
  return <StatusIndicator>{t('ready')}</StatusIndicator>;
}

interface DialogProps {
  /** What is changed; absent for a new one. */
  readonly item?: ProvisionedConcurrencyConfigListItem;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function ProvisionedDialog({ item, onClose, onDone }: DialogProps) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const { options: qualifiers } = useQualifiers(name);
  const [qualifier, setQualifier] = useState(item ? qualifierOf(item) : '');
  const [count, setCount] = useState(String(item?.RequestedProvisionedConcurrentExecutions ?? 1));
  const submit = () =>
    lambda.send(
      new PutProvisionedConcurrencyConfigCommand({
        FunctionName: name,
        Qualifier: qualifier,
        ProvisionedConcurrentExecutions: Number(count),
      }),
    );
  return (
    <FormDialog
      title={item ? t('editThis', { title: qualifierOf(item) }) : t('addProvisioned')}
      action={t('save')}
      disabled={qualifier === ''}
      submit={submit}
      onClose={onClose}
      onDone={onDone}
      hints={PROVISIONED_HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('qualifier')} description={t('provisionedQualifier')} errorText={errorOf('qualifier')}>
            <Select
              selectedOption={qualifier ? { value: qualifier, label: qualifier } : null}
              disabled={item !== undefined}
              placeholder={t('chooseQualifier')}
              options={qualifiers}
              empty={t('noQualifiers')}
              onChange={({ detail }) => setQualifier(detail.selectedOption.value ?? '')}
            />
          </FormField>
          <FormField label={t('provisionedConcurrency')} errorText={errorOf('count')}>
            <Input type="number" value={count} onChange={({ detail }) => setCount(detail.value)} />
          </FormField>
        </>
      )}
    </FormDialog>
  );
}
