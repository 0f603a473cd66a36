import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { isNotImplemented } from '../../aws/errors.ts';
import { useText } from '../../language/language.ts';
import { Problem } from '../../shell/Problem.tsx';
import { EditableSection } from './EditableSection.tsx';
import { useEventInvokeConfig } from './eventInvokeConfig.ts';

const OLDEST_S = 21_600;
const MOST_RETRIES = 2;
const HINTS = [
  ['age', /age/i],
  ['retries', /retry/i],
] as const;

/** How long and how often an event is tried. */
export function AsyncInvocation() {
  const t = useText();
  const { data, error, reload, save } = useEventInvokeConfig();
  const [age, setAge] = useState('');
  const [retries, setRetries] = useState(MOST_RETRIES);
  if (isNotImplemented(error)) return <Problem error={error} />;
  const option = (count: number) => ({ value: String(count), label: String(count) });
  return (
    <EditableSection
      title={t('asyncInvocation')}
      description={t('asyncText')}
      view={error !== undefined ? <Problem error={error} retry={reload} /> : undefined}
      pairs={[
        { label: t('eventAge'), value: t('seconds', { count: data?.MaximumEventAgeInSeconds ?? OLDEST_S }) },
        { label: t('retryAttempts'), value: data?.MaximumRetryAttempts ?? MOST_RETRIES },
      ]}
      onEdit={() => {
        setAge(String(data?.MaximumEventAgeInSeconds ?? OLDEST_S));
        setRetries(data?.MaximumRetryAttempts ?? MOST_RETRIES);
      }}
      onSaved={reload}
      save={() => save({ MaximumEventAgeInSeconds: Number(age), MaximumRetryAttempts: retries })}
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('eventAge')} constraintText={t('eventAgeHint')} errorText={errorOf('age')}>
            <Input type="number" value={age} onChange={({ detail }) => setAge(detail.value)} />
          </FormField>
          <FormField label={t('retryAttempts')} errorText={errorOf('retries')}>
            <Select
              selectedOption={option(retries)}
              options={[0, 1, 2].map(option)}
              onChange={({ detail }) => setRetries(Number(detail.selectedOption.value))}
            />
          </FormField>
        </>
      )}
    </EditableSection>
  );
}
