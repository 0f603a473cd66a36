import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  type EventSourceMappingConfiguration,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isNotImplemented } from '../../aws/errors.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { allPages } from '../../aws/pages.ts';
import { useText } from '../../language/language.ts';
import { ConfirmDialog } from '../../shell/ConfirmDialog.tsx';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';

/** Queues and streams whose records the function is called with. */
export function Triggers() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name, Marker }));
        return { items: page.EventSourceMappings, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const { data, error, loading, reload } = useLoad(load);
  const [adding, setAdding] = useState(false);
  const [deleting, setDeleting] = useState<EventSourceMappingConfiguration | null>(null);
  const switching = useAction();
  if (isNotImplemented(error)) return <Problem error={error} />;
  return (
    <>
      <Table
        header={
          <Header
            variant="h2"
            description={t('triggersText')}
            actions={<Button onClick={() => setAdding(true)}>{t('addTrigger')}</Button>}
          >
            {t('triggers')}
          </Header>
        }
        footer={<Problem error={error ?? switching.error} retry={reload} />}
        ariaLabels={{ tableLabel: t('triggers') }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        trackBy="UUID"
        empty={<Empty title={t('noTriggers')}>{t('noTriggersText')}</Empty>}
        columnDefinitions={[
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
                onChange={async ({ detail }) => {
                  await switching.run(() =>
                    lambda.send(new UpdateEventSourceMappingCommand({ UUID: item.UUID, Enabled: detail.checked })),
                  );
                  reload();
                }}
              >
                {item.State}
              </Toggle>
            ),
          },
          {
            id: 'actions',
            header: t('actions'),
            cell: (item) => (
              <Button
                variant="inline-link"
                ariaLabel={t('deleteThis', { name: item.EventSourceArn ?? '' })}
                onClick={() => setDeleting(item)}
              >
                {t('delete')}
              </Button>
            ),
          },
        ]}
      />
      {adding && <AddTrigger onClose={() => setAdding(false)} onAdded={reload} />}
      {deleting && (
        <ConfirmDialog
          title={t('deleteThis', { name: deleting.EventSourceArn ?? '' })}
          action={t('delete')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await lambda.send(new DeleteEventSourceMappingCommand({ UUID: deleting.UUID }));
            reload();
          }}
        >
          {t('deleteTriggerText')}
        </ConfirmDialog>
      )}
    </>
  );
}

function AddTrigger({ onClose, onAdded }: { readonly onClose: () => void; readonly onAdded: () => void }) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const [source, setSource] = useState('');
  const [batch, setBatch] = useState('10');
  const { busy, error, run } = useAction();
  const stream = /:(kinesis|dynamodb):/.test(source);
  const add = async () => {
    const done = await run(() =>
      lambda.send(
        new CreateEventSourceMappingCommand({
          FunctionName: name,
          EventSourceArn: source,
          BatchSize: Number(batch),
          StartingPosition: stream ? 'LATEST' : undefined,
        }),
      ),
    );
    if (!done) return;
    onClose();
    onAdded();
  };
  return (
    <Modal
      visible
      header={t('addTrigger')}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} onClick={add}>
              {t('add')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label={t('source')} description={t('sourceHint')}>
          <Input
            value={source}
            onChange={({ detail }) => setSource(detail.value)}
            placeholder="arn:aws:sqs:us-east-1:000000000000:my-queue"
          />
        </FormField>
        <FormField label={t('batchSize')}>
          <Input type="number" value={batch} onChange={({ detail }) => setBatch(detail.value)} />
        </FormField>
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
