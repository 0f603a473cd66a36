import { LambdaClient, type SnapStartApplyOn, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useText } from '../../language/language.ts';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const FIELDS = [
  ['memory', /memory/i],
  ['storage', /ephemeral|size/i],
  ['timeout', /timeout/i],
  ['snapStart', /snapstart|applyon/i],
  ['description', /description/i],
] as const;

/** Description, memory, `/tmp`, time-out, SnapStart. */
export function General() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const [description, setDescription] = useState('');
  const [memory, setMemory] = useState('');
  const [storage, setStorage] = useState('');
  const [timeout, setTimeout] = useState('');
  const [snapStart, setSnapStart] = useState<SnapStartApplyOn>('None');
  const snapStartNow = configuration.SnapStart?.ApplyOn ?? 'None';
  const snapStartName = (value: string) => (value === 'None' ? t('none') : t('publishedVersions'));
  return (
    <EditableSection
      title={t('generalConfiguration')}
      pairs={[
        { label: t('description'), value: configuration.Description || '–' },
        { label: t('memory'), value: `${configuration.MemorySize} MB` },
        { label: t('ephemeralStorage'), value: `${configuration.EphemeralStorage?.Size ?? 512} MB` },
        { label: t('timeout'), value: t('seconds', { count: configuration.Timeout ?? 0 }) },
        { label: 'SnapStart', value: snapStartName(snapStartNow) },
      ]}
      onEdit={() => {
        setDescription(configuration.Description ?? '');
        setMemory(String(configuration.MemorySize));
        setStorage(String(configuration.EphemeralStorage?.Size ?? 512));
        setTimeout(String(configuration.Timeout));
        setSnapStart(snapStartNow);
      }}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName: name,
            Description: description,
            MemorySize: Number(memory),
            EphemeralStorage: { Size: Number(storage) },
            Timeout: Number(timeout),
            SnapStart: { ApplyOn: snapStart },
          }),
        )
      }
      hints={FIELDS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('description')} errorText={errorOf('description')}>
            <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
          </FormField>
          <FormField
            label={t('memory')}
            description={t('memoryHint')}
            constraintText="128–10240 MB"
            errorText={errorOf('memory')}
          >
            <Input type="number" value={memory} onChange={({ detail }) => setMemory(detail.value)} />
          </FormField>
          <FormField
            label={t('ephemeralStorage')}
            description={t('storageHint')}
            constraintText="512–10240 MB"
            errorText={errorOf('storage')}
          >
            <Input type="number" value={storage} onChange={({ detail }) => setStorage(detail.value)} />
          </FormField>
          <FormField label={t('timeout')} constraintText={t('timeoutHint')} errorText={errorOf('timeout')}>
            <Input type="number" value={timeout} onChange={({ detail }) => setTimeout(detail.value)} />
          </FormField>
          <FormField label="SnapStart" description={t('snapStartHint')} errorText={errorOf('snapStart')}>
            <Select
              selectedOption={{ value: snapStart, label: snapStartName(snapStart) }}
              options={['None', 'PublishedVersions'].map((value) => ({ value, label: snapStartName(value) }))}
              onChange={({ detail }) => setSnapStart(detail.selectedOption.value as SnapStartApplyOn)}
            />
          </FormField>
        </>
      )}
    </EditableSection>
  );
}
