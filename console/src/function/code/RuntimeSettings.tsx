import { LambdaClient, type Runtime, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { messageOf } from '../../aws/errors.ts';
import { fieldOf } from '../../functions/fieldErrors.ts';
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
      fieldOf={(error) => fieldOf(error, FIELDS)}
    >
      {(error) => {
        const field = fieldOf(error, FIELDS);
        return (
          <>
            <FormField label={t('runtime')} errorText={field === 'runtime' ? messageOf(error) : undefined}>
              <RuntimeSelect value={runtime} onChange={setRuntime} />
            </FormField>
            <FormField
              label={t('handler')}
              description={t('handlerHint')}
              errorText={field === 'handler' ? messageOf(error) : undefined}
            >
              <Input value={handler} onChange={({ detail }) => setHandler(detail.value)} spellcheck={false} />
            </FormField>
          </>
        );
      }}
    </EditableSection>
  );
}
