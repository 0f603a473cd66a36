import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { allPages } from '../../aws/pages.ts';
import { useText } from '../../language/language.ts';
import { FormDialog } from '../../shell/FormDialog.tsx';
import { ManagedTable } from '../../shell/ManagedTable.tsx';
import { useFunction } from '../functionContext.ts';

/** Queues and streams whose records the function is called with. */
export function Triggers() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, reload } = useFunction();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name, Marker }));
        return { items: page.EventSourceMappings, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const loaded = useLoad(load);
  const switching = useAction();
  const turn = async (UUID: string | undefined, Enabled: boolean) => {
    await switching.run(() => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled })));
    loaded.reload();
  };
  const changed = () => {
    loaded.reload();
    reload();
  };
  return (
    <ManagedTable
      title={t('triggers')}
      description={t('triggersText')}
      loaded={loaded}
      error={switching.error}
      nameOf={(mapping) => mapping.EventSourceArn ?? mapping.UUID ?? ''}
      empty={{ title: t('noTriggers'), text: t('noTriggersText') }}
      columns={[
        { id: 'source', header: t('source'), isRowHeader: true, cell: (item) => item.EventSourceArn },
        { id: 'batch', header: t('batchSize'), cell: (item) => item.BatchSize },
        { id: 'last', header: t('lastResult'), cell: (item) => item.LastProcessingResult ?? '–' },
        {
          id: 'state',
          header: t('status'),
          cell: (item) => (
            <Toggle
              checked={item.State === 'Enabled' || item.State === 'Enabling'}
              disabled={switching.busy}
              onChange={({ detail }) => turn(item.UUID, detail.checked)}
            >
              {item.State}
            </Toggle>
          ),
        },
      ]}
      add={{
        label: t('addTrigger'),
        dialog: (close) => <AddTrigger onClose={close} onDone={changed} />,
      }}
      remove={{
        title: (mapping) => t('deleteThis', { name: mapping.EventSourceArn ?? '' }),
        warning: t('deleteTriggerText'),
        run: async (mapping) => {
          await lambda.send(new DeleteEventSourceMappingCommand({ UUID: mapping.UUID }));
          reload();
        },
      }}
    />
  );
}

const HINTS = [
  ['batch', /batch/i],
  ['source', /eventsource|source|arn|ResourceConflict/i],
] as const;

function AddTrigger({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const [source, setSource] = useState('');
  const [batch, setBatch] = useState('10');
  const stream = /:(kinesis|dynamodb):/.test(source);
  const submit = () =>
    lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: name,
        EventSourceArn: source,
        BatchSize: Number(batch),
        StartingPosition: stream ? 'LATEST' : undefined,
      }),
    );
  return (
    <FormDialog
      title={t('addTrigger')}
      action={t('add')}
      submit={submit}
      onClose={onClose}
      onDone={onDone}
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('source')} description={t('sourceHint')} errorText={errorOf('source')}>
            <Input
              value={source}
              onChange={({ detail }) => setSource(detail.value)}
              placeholder="arn:aws:sqs:us-east-1:000000000000:my-queue"
              autoFocus
              spellcheck={false}
            />
          </FormField>
          <FormField label={t('batchSize')} errorText={errorOf('batch')}>
            <Input type="number" value={batch} onChange={({ detail }) => setBatch(detail.value)} />
          </FormField>
        </>
      )}
    </FormDialog>
  );
}
