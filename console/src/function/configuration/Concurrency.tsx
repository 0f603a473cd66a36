import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConcurrencyCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isNotImplemented } from '../../aws/errors.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

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
  const shown = data === null || data === undefined ? t('unreservedPool') : data.toLocaleString();
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
    >
      {() => (
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
            <FormField label={t('reservedConcurrency')} constraintText={t('zeroThrottles')}>
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
    async () =>
      (await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name })))
        .ProvisionedConcurrencyConfigs ?? [],
    [lambda, name],
  );
  const { data, error, loading, reload } = useLoad(load);
  const [qualifier, setQualifier] = useState('');
  const [count, setCount] = useState('1');
  const adding = useAction();
  if (isNotImplemented(error)) return <Problem error={error} />;
  return (
    <SpaceBetween size="l">
      <Table
        header={
          <Header variant="h2" description={t('provisionedText')}>
            {t('provisionedConcurrency')}
          </Header>
        }
        footer={error !== undefined && <Problem error={error} retry={reload} />}
        ariaLabels={{ tableLabel: t('provisionedConcurrency') }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        empty={<Empty title={t('noProvisioned')}>{t('noProvisionedText')}</Empty>}
        columnDefinitions={[
          { id: 'q', header: t('qualifier'), isRowHeader: true, cell: (item) => item.FunctionArn?.split(':').at(-1) },
          { id: 'asked', header: t('requested'), cell: (item) => item.RequestedProvisionedConcurrentExecutions },
          { id: 'there', header: t('allocated'), cell: (item) => item.AllocatedProvisionedConcurrentExecutions },
          { id: 'status', header: t('status'), cell: (item) => item.StatusReason ?? item.Status },
        ]}
      />
      <Container header={<Header variant="h3">{t('addProvisioned')}</Header>}>
        <SpaceBetween size="m">
          <FormField label={t('qualifier')} description={t('provisionedQualifier')}>
            <Input value={qualifier} onChange={({ detail }) => setQualifier(detail.value)} placeholder="live" />
          </FormField>
          <FormField label={t('provisionedConcurrency')}>
            <Input type="number" value={count} onChange={({ detail }) => setCount(detail.value)} />
          </FormField>
          <Problem error={adding.error} />
          <Button
            loading={adding.busy}
            disabled={!qualifier}
            onClick={async () => {
              const done = await adding.run(() =>
                lambda.send(
                  new PutProvisionedConcurrencyConfigCommand({
                    FunctionName: name,
                    Qualifier: qualifier,
                    ProvisionedConcurrentExecutions: Number(count),
                  }),
                ),
              );
              if (done) reload();
            }}
          >
            {t('save')}
          </Button>
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}
