import { LambdaClient, type Runtime, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { RuntimeSelect } from '../../functions/RuntimeSelect.tsx';
import { useText } from '../../language/language.ts';
import { runtimeName } from '../../runtimes/runtimes.ts';
import { EditableSection } from '../configuration/EditableSection.tsx';
import { useFunction } from '../functionContext.ts';

const FIELDS = [
  ['runtime', /runtime/i],
  ['handler', /handler/i],
] as const;

/** Runtime, handler, architecture. */
export function RuntimeSettings() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const [runtime, setRuntime] = useState('');
  const [handler, setHandler] = useState('');
  return (
    <EditableSection
      title={t('runtimeSettings')}
      pairs={[
        { label: t('runtime'), value: runtimeName(configuration.Runtime) },
        { label: t('handler'), value: configuration.Handler ?? '–' },
        { label: t('architecture'), value: configuration.Architectures?.[0] ?? '–' },
      ]}
      onEdit={() => {
        setRuntime(configuration.Runtime ?? '');
        setHandler(configuration.Handler ?? '');
      }}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({ FunctionName: name, Runtime: runtime as Runtime, Handler: handler }),
        )
      }
      hints={FIELDS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('runtime')} errorText={errorOf('runtime')}>
            <RuntimeSelect value={runtime} onChange={setRuntime} />
          </FormField>
          <FormField label={t('handler')} description={t('handlerHint')} errorText={errorOf('handler')}>
            <Input value={handler} onChange={({ detail }) => setHandler(detail.value)} spellcheck={false} />
          </FormField>
        </>
      )}
    </EditableSection>
  );
}
