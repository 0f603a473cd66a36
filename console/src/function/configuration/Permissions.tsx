import {
  AddPermissionCommand,
  GetPolicyCommand,
  LambdaClient,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isMissing } from '../../aws/errors.ts';
import { useLoad } from '../../aws/load.ts';
import { RoleInput } from '../../functions/RoleInput.tsx';
import { useText } from '../../language/language.ts';
import { FormDialog } from '../../shell/FormDialog.tsx';
import { ManagedTable } from '../../shell/ManagedTable.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const ROLE_HINTS = [['role', /role/i]] as const;
const PERMISSION_HINTS = [
  ['sid', /statementid|statement id|ResourceConflict/i],
  ['principal', /principal/i],
  ['source', /sourcearn|source arn/i],
  ['action', /action/i],
] as const;

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
  return (
    <EditableSection
      title={t('executionRole')}
      description={t('executionRoleHint')}
      pairs={[{ label: t('roleArn'), value: <Box variant="code">{configuration.Role}</Box> }]}
      onEdit={() => setRole(configuration.Role ?? '')}
      save={() => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Role: role }))}
      hints={ROLE_HINTS}
    >
      {(errorOf) => (
        <FormField label={t('roleArn')} errorText={errorOf('role')}>
          <RoleInput value={role} onChange={setRole} />
        </FormField>
      )}
    </EditableSection>
  );
}

interface Statement {
  readonly Sid: string;
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
  const loaded = useLoad(load);
  return (
    <ManagedTable
      title={t('resourcePolicy')}
      description={t('policyText')}
      loaded={loaded}
      nameOf={(statement) => statement.Sid}
      empty={{ title: t('noPolicy'), text: t('noPolicyText') }}
      columns={[
        { id: 'sid', header: t('statementId'), isRowHeader: true, cell: (item) => item.Sid },
        { id: 'principal', header: t('principal'), cell: (item) => principalOf(item.Principal) },
        { id: 'action', header: t('action'), cell: (item) => [item.Action].flat().join(', ') },
        {
          id: 'condition',
          header: t('condition'),
          cell: (item) => (item.Condition ? <Box variant="code">{JSON.stringify(item.Condition)}</Box> : '–'),
        },
      ]}
      add={{
        label: t('addPermission'),
        dialog: (close) => <AddPermission onClose={close} onDone={loaded.reload} />,
      }}
      remove={{
        title: (statement) => t('deleteThis', { name: statement.Sid }),
        warning: t('deletePermissionText'),
        run: (statement) =>
          lambda.send(
            new RemovePermissionCommand({ FunctionName: name, Qualifier: qualifier, StatementId: statement.Sid }),
          ),
      }}
    />
  );
}

/** `s3.amazonaws.com` of `{"Service": "s3.amazonaws.com"}`; what a policy says otherwise stays as it is. */
function principalOf(principal: unknown): string {
  if (typeof principal === 'string') return principal;
  const named = Object.values(principal as Record<string, unknown>);
  return named.length === 1 && typeof named[0] === 'string' ? named[0] : JSON.stringify(principal);
}

function AddPermission({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, qualifier } = useFunction();
  const [sid, setSid] = useState('');
  const [principal, setPrincipal] = useState('');
  const [action, setAction] = useState('lambda:InvokeFunction');
  const [source, setSource] = useState('');
  const submit = () =>
    lambda.send(
      new AddPermissionCommand({
        FunctionName: name,
        Qualifier: qualifier,
        StatementId: sid,
        Principal: principal,
        Action: action,
        SourceArn: source || undefined,
      }),
    );
  return (
    <FormDialog
      title={t('addPermission')}
      action={t('save')}
      submit={submit}
      onClose={onClose}
      onDone={onDone}
      hints={PERMISSION_HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('statementId')} errorText={errorOf('sid')}>
            <Input value={sid} autoFocus placeholder="from-my-bucket" onChange={({ detail }) => setSid(detail.value)} />
          </FormField>
          <FormField label={t('principal')} description={t('principalHint')} errorText={errorOf('principal')}>
            <Input
              value={principal}
              onChange={({ detail }) => setPrincipal(detail.value)}
              placeholder="s3.amazonaws.com"
            />
          </FormField>
          <FormField label={t('action')} errorText={errorOf('action')}>
            <Input value={action} onChange={({ detail }) => setAction(detail.value)} />
          </FormField>
          <FormField label={t('sourceArn')} description={t('optional')} errorText={errorOf('source')}>
            <Input
              value={source}
              onChange={({ detail }) => setSource(detail.value)}
              placeholder="arn:aws:s3:::bucket"
            />
          </FormField>
        </>
      )}
    </FormDialog>
  );
}
