import {
  DeleteFunctionCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  LambdaClient,
  PutFunctionCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useLoad } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { Empty, Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const HINTS = [['arn', /codesigningconfig|code signing/i]] as const;

export function CodeSigning() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name } = useFunction();
  const load = useCallback(
    async () =>
      (await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: name }))).CodeSigningConfigArn ?? '',
    [lambda, name],
  );
  const { data, error, reload } = useLoad(load);
  const [arn, setArn] = useState('');
  return (
    <EditableSection
      title={t('codeSigning')}
      description={t('codeSigningText')}
      view={
        error !== undefined ? (
          <Problem error={error} retry={reload} />
        ) : data === '' ? (
          <Empty title={t('noSigning')}>{t('noSigningText')}</Empty>
        ) : undefined
      }
      pairs={[{ label: t('signingConfig'), value: data }]}
      onEdit={() => setArn(data ?? '')}
      onSaved={reload}
      save={() =>
        arn
          ? lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: name, CodeSigningConfigArn: arn }))
          : lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: name }))
      }
      hints={HINTS}
    >
      {(errorOf) => (
        <FormField label={t('signingConfig')} description={t('signingHint')} errorText={errorOf('arn')}>
          <Input value={arn} onChange={({ detail }) => setArn(detail.value)} spellcheck={false} />
        </FormField>
      )}
    </EditableSection>
  );
}
