import type { ApplicationLogLevel, SystemLogLevel } from '@aws-sdk/client-lambda';
import {
  LambdaClient,
  type LogFormat,
  type TracingMode,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useText } from '../../language/language.ts';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const FORMATS: readonly LogFormat[] = ['Text', 'JSON'];
const APPLICATION_LEVELS: readonly ApplicationLogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const SYSTEM_LEVELS: readonly SystemLogLevel[] = ['DEBUG', 'INFO', 'WARN'];
const FIELDS = [['group', /loggroup/i]] as const;

/** Where and how the function logs, and whether it is traced. */
export function Monitoring() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const now = configuration.LoggingConfig;
  const [format, setFormat] = useState<LogFormat>('Text');
  const [application, setApplication] = useState<ApplicationLogLevel>('INFO');
  const [system, setSystem] = useState<SystemLogLevel>('INFO');
  const [group, setGroup] = useState('');
  const [traced, setTraced] = useState(false);
  const option = (value: string) => ({ value, label: value });
  return (
    <EditableSection
      title={t('monitoringTools')}
      pairs={[
        { label: t('logFormat'), value: now?.LogFormat ?? 'Text' },
        { label: t('applicationLevel'), value: now?.ApplicationLogLevel ?? '–' },
        { label: t('systemLevel'), value: now?.SystemLogLevel ?? '–' },
        { label: t('logGroup'), value: now?.LogGroup ?? `/aws/lambda/${name}` },
        { label: t('activeTracing'), value: configuration.TracingConfig?.Mode === 'Active' ? t('on') : t('off') },
      ]}
      onEdit={() => {
        setFormat(now?.LogFormat ?? 'Text');
        setApplication(now?.ApplicationLogLevel ?? 'INFO');
        setSystem(now?.SystemLogLevel ?? 'INFO');
        setGroup(now?.LogGroup ?? `/aws/lambda/${name}`);
        setTraced(configuration.TracingConfig?.Mode === 'Active');
      }}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName: name,
            LoggingConfig: {
              LogFormat: format,
              LogGroup: group,
              ...(format === 'JSON' ? { ApplicationLogLevel: application, SystemLogLevel: system } : {}),
            },
            TracingConfig: { Mode: (traced ? 'Active' : 'PassThrough') satisfies TracingMode },
          }),
        )
      }
      hints={FIELDS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('logFormat')} description={t('logFormatHint')}>
            <Select
              selectedOption={option(format)}
              options={FORMATS.map(option)}
              onChange={({ detail }) => setFormat(detail.selectedOption.value as LogFormat)}
            />
          </FormField>
          {format === 'JSON' && (
            <>
              <FormField label={t('applicationLevel')}>
                <Select
                  selectedOption={option(application)}
                  options={APPLICATION_LEVELS.map(option)}
                  onChange={({ detail }) => setApplication(detail.selectedOption.value as ApplicationLogLevel)}
                />
              </FormField>
              <FormField label={t('systemLevel')}>
                <Select
                  selectedOption={option(system)}
                  options={SYSTEM_LEVELS.map(option)}
                  onChange={({ detail }) => setSystem(detail.selectedOption.value as SystemLogLevel)}
                />
              </FormField>
            </>
          )}
          <FormField label={t('logGroup')} errorText={errorOf('group')}>
            <Input value={group} onChange={({ detail }) => setGroup(detail.value)} spellcheck={false} />
          </FormField>
          <Toggle checked={traced} onChange={({ detail }) => setTraced(detail.checked)}>
            {t('activeTracing')}
          </Toggle>
        </>
      )}
    </EditableSection>
  );
}
