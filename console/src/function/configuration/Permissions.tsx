import {
  AddPermissionCommand,
  GetPolicyCommand,
  LambdaClient,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
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
import { useClient } from '../../aws/clients.ts';
import { isMissing, isNotImplemented, messageOf } from '../../aws/errors.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { fieldOf } from '../../functions/fieldErrors.ts';
import { useText } from '../../language/language.ts';
import { ConfirmDialog } from '../../shell/ConfirmDialog.tsx';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

/** The role that the function has, and who may call it. */
export function Permissions() {
  return (
    <SpaceBetween size="l">
      <Role />
      <Policy />
    </SpaceBetween>
  );
}

function Role() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const [role, setRole] = useState('');
  const FIELDS = [['role', /role/i]] as const;
  return (
    <EditableSection
      title={t('executionRole')}
      description={t('executionRoleHint')}
      pairs={[{ label: t('roleArn'), value: <Box variant="code">{configuration.Role}</Box> }]}
      onEdit={() => setRole(configuration.Role ?? '')}
      save={() => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Role: role }))}
      fieldOf={(error) => fieldOf(error, FIELDS)}
    >
      {(error) => (
        <FormField label={t('roleArn')} errorText={fieldOf(error, FIELDS) ? messageOf(error) : undefined}>
          <Input value={role} onChange={({ detail }) => setRole(detail.value)} spellcheck={false} />
        </FormField>
      )}
    </EditableSection>
  );
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: string | readonly string[];
  readonly Condition?: unknown;
}

function Policy() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, qualifier } = useFunction();
  const load = useCallback(async () => {
    try {
      const { Policy: text } = await lambda.send(new GetPolicyCommand({ FunctionName: name, Qualifier: qualifier }));
      return (JSON.parse(text ?? '{}').Statement ?? []) as Statement[];
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }, [lambda, name, qualifier]);
  const { data, error, loading, reload } = useLoad(load);
  const [adding, setAdding] = useState(false);
  const [deleting, setDeleting] = useState<Statement | null>(null);
  if (isNotImplemented(error)) return <Problem error={error} />;
  const add = <Button onClick={() => setAdding(true)}>{t('addPermission')}</Button>;
  return (
    <>
      <Table
        header={
          <Header variant="h2" description={t('policyText')} actions={add}>
            {t('resourcePolicy')}
          </Header>
        }
        footer={error !== undefined && <Problem error={error} retry={reload} />}
        ariaLabels={{ tableLabel: t('resourcePolicy') }}
        loading={loading && data === undefined}
        loadingText={t('loading')}
        items={data ?? []}
        trackBy="Sid"
        empty={<Empty title={t('noPolicy')}>{t('noPolicyText')}</Empty>}
        columnDefinitions={[
          { id: 'sid', header: t('statementId'), isRowHeader: true, cell: (item) => item.Sid },
          {
            id: 'principal',
            header: t('principal'),
            cell: (item) => (typeof item.Principal === 'string' ? item.Principal : JSON.stringify(item.Principal)),
          },
          { id: 'action', header: t('action'), cell: (item) => [item.Action].flat().join(', ') },
          {
            id: 'condition',
            header: t('condition'),
            cell: (item) => (item.Condition ? <Box variant="code">{JSON.stringify(item.Condition)}</Box> : '–'),
          },
          {
            id: 'actions',
            header: t('actions'),
            cell: (item) => (
              <Button
                variant="inline-link"
                ariaLabel={t('deleteThis', { name: item.Sid })}
                onClick={() => setDeleting(item)}
              >
                {t('delete')}
              </Button>
            ),
          },
        ]}
      />
      {adding && <AddPermission onClose={() => setAdding(false)} onAdded={reload} />}
      {deleting && (
        <ConfirmDialog
          title={t('deleteThis', { name: deleting.Sid })}
          action={t('delete')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await lambda.send(
              new RemovePermissionCommand({ FunctionName: name, Qualifier: qualifier, StatementId: deleting.Sid }),
            );
            reload();
          }}
        >
          {t('deletePermissionText')}
        </ConfirmDialog>
      )}
    </>
  );
}

function AddPermission({ onClose, onAdded }: { readonly onClose: () => void; readonly onAdded: () => void }) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, qualifier } = useFunction();
  const [sid, setSid] = useState('');
  const [principal, setPrincipal] = useState('');
  const [action, setAction] = useState('lambda:InvokeFunction');
  const [source, setSource] = useState('');
  const { busy, error, run } = useAction();
  const add = async () => {
    const done = await run(() =>
      lambda.send(
        new AddPermissionCommand({
          FunctionName: name,
          Qualifier: qualifier,
          StatementId: sid,
          Principal: principal,
          Action: action,
          SourceArn: source || undefined,
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
      header={t('addPermission')}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} onClick={add}>
              {t('save')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label={t('statementId')}>
          <Input value={sid} onChange={({ detail }) => setSid(detail.value)} />
        </FormField>
        <FormField label={t('principal')} description={t('principalHint')}>
          <Input
            value={principal}
            onChange={({ detail }) => setPrincipal(detail.value)}
            placeholder="s3.amazonaws.com"
          />
        </FormField>
        <FormField label={t('action')}>
          <Input value={action} onChange={({ detail }) => setAction(detail.value)} />
        </FormField>
        <FormField label={t('sourceArn')} description={t('optional')}>
          <Input value={source} onChange={({ detail }) => setSource(detail.value)} placeholder="arn:aws:s3:::bucket" />
        </FormField>
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
