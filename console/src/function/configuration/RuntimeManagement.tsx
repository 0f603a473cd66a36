import {
  GetRuntimeManagementConfigCommand,
  LambdaClient,
  PutRuntimeManagementConfigCommand,
  type UpdateRuntimeOn,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isNotImplemented } from '../../aws/errors.ts';
import { useLoad } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const HINTS = [['arn', /runtimeversion|runtime version/i]] as const;

/** When the function gets a new version of its runtime. */
export function RuntimeManagement() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, qualifier, configuration } = useFunction();
  const load = useCallback(
    () => lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName: name, Qualifier: qualifier })),
    [lambda, name, qualifier],
  );
  const { data, error, reload } = useLoad(load);
  const [mode, setMode] = useState<UpdateRuntimeOn>('Auto');
  const [arn, setArn] = useState('');
  if (isNotImplemented(error)) return <Problem error={error} />;
  return (
    <EditableSection
      title={t('runtimeManagement')}
      description={t('runtimeManagementText')}
      view={error !== undefined ? <Problem error={error} retry={reload} /> : undefined}
      pairs={[
        { label: t('updateMode'), value: data?.UpdateRuntimeOn ?? '–' },
        { label: t('runtimeVersion'), value: configuration.RuntimeVersionConfig?.RuntimeVersionArn ?? '–' },
      ]}
      onEdit={() => {
        setMode(data?.UpdateRuntimeOn ?? 'Auto');
        setArn(data?.RuntimeVersionArn ?? configuration.RuntimeVersionConfig?.RuntimeVersionArn ?? '');
      }}
      onSaved={reload}
      save={() =>
        lambda.send(
          new PutRuntimeManagementConfigCommand({
            FunctionName: name,
            Qualifier: qualifier,
            UpdateRuntimeOn: mode,
            RuntimeVersionArn: mode === 'Manual' ? arn : undefined,
          }),
        )
      }
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <RadioGroup
            value={mode}
            onChange={({ detail }) => setMode(detail.value as UpdateRuntimeOn)}
            items={[
              { value: 'Auto', label: 'Auto', description: t('updateAuto') },
              { value: 'FunctionUpdate', label: 'FunctionUpdate', description: t('updateOnChange') },
              { value: 'Manual', label: 'Manual', description: t('updateManual') },
            ]}
          />
          {mode === 'Manual' && (
            <FormField label={t('runtimeVersion')} errorText={errorOf('arn')}>
              <Input value={arn} onChange={({ detail }) => setArn(detail.value)} spellcheck={false} />
            </FormField>
          )}
        </>
      )}
    </EditableSection>
  );
}
