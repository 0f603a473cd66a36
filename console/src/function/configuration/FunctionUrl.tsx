import {
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  type FunctionUrlAuthType,
  GetFunctionUrlConfigCommand,
  type InvokeMode,
  LambdaClient,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isMissing, isNotImplemented } from '../../aws/errors.ts';
import { useLoad } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { ConfirmDialog } from '../../shell/ConfirmDialog.tsx';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const HINTS = [['origins', /cors|origin/i]] as const;

/** An HTTP address of the function's own. */
export function FunctionUrl() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, qualifier, reload: reloadFunction } = useFunction();
  const load = useCallback(async () => {
    try {
      return await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier }));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }, [lambda, name, qualifier]);
  const { data, error, reload } = useLoad(load);
  const [auth, setAuth] = useState<FunctionUrlAuthType>('AWS_IAM');
  const [mode, setMode] = useState<InvokeMode>('BUFFERED');
  const [origins, setOrigins] = useState('');
  const [deleting, setDeleting] = useState(false);
  if (isNotImplemented(error)) return <Problem error={error} />;
  const list = origins
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  return (
    <>
      <EditableSection
        title={t('functionUrl')}
        description={t('functionUrlText')}
        actions={
          data && (
            <Button formAction="none" onClick={() => setDeleting(true)}>
              {t('delete')}
            </Button>
          )
        }
        view={
          error !== undefined ? (
            <Problem error={error} retry={reload} />
          ) : data === null ? (
            <Empty title={t('noUrlYet')}>{t('noUrlText')}</Empty>
          ) : undefined
        }
        pairs={[
          {
            label: t('functionUrl'),
            value: (
              <Link href={data?.FunctionUrl} external externalIconAriaLabel={t('newTab')}>
                {data?.FunctionUrl}
              </Link>
            ),
          },
          { label: t('authType'), value: data?.AuthType },
          { label: t('invokeMode'), value: data?.InvokeMode ?? 'BUFFERED' },
          { label: t('allowedOrigins'), value: data?.Cors?.AllowOrigins?.join(', ') || '–' },
        ]}
        onEdit={() => {
          setAuth(data?.AuthType ?? 'AWS_IAM');
          setMode(data?.InvokeMode ?? 'BUFFERED');
          setOrigins(data?.Cors?.AllowOrigins?.join(', ') ?? '');
        }}
        onSaved={reload}
        save={() => {
          const asked = {
            FunctionName: name,
            Qualifier: qualifier,
            AuthType: auth,
            InvokeMode: mode,
            Cors: { ...data?.Cors, AllowOrigins: list },
          };
          return data
            ? lambda.send(new UpdateFunctionUrlConfigCommand(asked))
            : lambda.send(new CreateFunctionUrlConfigCommand(asked));
        }}
        hints={HINTS}
      >
        {(errorOf) => (
          <>
            <FormField label={t('authType')}>
              <RadioGroup
                value={auth}
                onChange={({ detail }) => setAuth(detail.value as FunctionUrlAuthType)}
                items={[
                  { value: 'AWS_IAM', label: 'AWS_IAM', description: t('authIamText') },
                  { value: 'NONE', label: 'NONE', description: t('authNoneText') },
                ]}
              />
            </FormField>
            <FormField label={t('invokeMode')}>
              <RadioGroup
                value={mode}
                onChange={({ detail }) => setMode(detail.value as InvokeMode)}
                items={[
                  { value: 'BUFFERED', label: 'BUFFERED' },
                  { value: 'RESPONSE_STREAM', label: 'RESPONSE_STREAM' },
                ]}
              />
            </FormField>
            <FormField label={t('allowedOrigins')} description={t('originsHint')} errorText={errorOf('origins')}>
              <Input
                value={origins}
                onChange={({ detail }) => setOrigins(detail.value)}
                placeholder="https://example.com, *"
              />
            </FormField>
          </>
        )}
      </EditableSection>
      {deleting && (
        <ConfirmDialog
          title={t('deleteUrl')}
          action={t('delete')}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier }));
            reload();
            reloadFunction();
          }}
        >
          {t('deleteUrlText')}
        </ConfirmDialog>
      )}
    </>
  );
}
