import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { isNotImplemented } from '../../aws/errors.ts';
import { useText } from '../../language/language.ts';
import { Problem } from '../../shell/Problem.tsx';
import { EditableSection } from './EditableSection.tsx';
import { useEventInvokeConfig } from './eventInvokeConfig.ts';

const FIELDS = [
  ['success', /onsuccess/i],
  ['failure', /onfailure|destination/i],
] as const;

/** Where the results of asynchronous invokes go. */
export function Destinations() {
  const t = useText();
  const { data, error, reload, save } = useEventInvokeConfig();
  const [success, setSuccess] = useState('');
  const [failure, setFailure] = useState('');
  if (isNotImplemented(error)) return <Problem error={error} />;
  const now = data?.DestinationConfig;
  const target = (arn: string) => (arn ? { Destination: arn } : {});
  return (
    <EditableSection
      title={t('destinations')}
      description={t('destinationsText')}
      view={error !== undefined ? <Problem error={error} retry={reload} /> : undefined}
      pairs={[
        { label: t('onSuccess'), value: now?.OnSuccess?.Destination ?? '–' },
        { label: t('onFailure'), value: now?.OnFailure?.Destination ?? '–' },
      ]}
      onEdit={() => {
        setSuccess(now?.OnSuccess?.Destination ?? '');
        setFailure(now?.OnFailure?.Destination ?? '');
      }}
      onSaved={reload}
      save={() => save({ DestinationConfig: { OnSuccess: target(success), OnFailure: target(failure) } })}
      hints={FIELDS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('onSuccess')} description={t('destinationHint')} errorText={errorOf('success')}>
            <Input value={success} onChange={({ detail }) => setSuccess(detail.value)} spellcheck={false} />
          </FormField>
          <FormField label={t('onFailure')} description={t('destinationHint')} errorText={errorOf('failure')}>
            <Input value={failure} onChange={({ detail }) => setFailure(detail.value)} spellcheck={false} />
          </FormField>
        </>
      )}
    </EditableSection>
  );
}
