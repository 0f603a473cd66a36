import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Box from '@cloudscape-design/components/box';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useText } from '../../language/language.ts';
import { Empty } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';
import { PairsTable } from './PairsTable.tsx';

interface Pair {
  readonly key: string;
  readonly value: string;
}

export function Environment() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const variables = configuration.Environment?.Variables ?? {};
  const [pairs, setPairs] = useState<readonly Pair[]>([]);
  const change = (index: number, changed: Partial<Pair>) =>
    setPairs((before) => before.map((pair, at) => (at === index ? { ...pair, ...changed } : pair)));
  const known = Object.entries(variables);
  return (
    <EditableSection
      title={t('environmentVariables')}
      description={t('environmentText')}
      view={
        known.length > 0 ? (
          <PairsTable label={t('environmentVariables')} pairs={known} />
        ) : (
          <Empty title={t('noVariables')}>{t('noVariablesText')}</Empty>
        )
      }
      onEdit={() => setPairs(known.map(([key, value]) => ({ key, value })))}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName: name,
            Environment: { Variables: Object.fromEntries(pairs.map(({ key, value }) => [key, value])) },
          }),
        )
      }
    >
      {() => (
        <AttributeEditor
          items={pairs}
          addButtonText={t('addVariable')}
          removeButtonText={t('remove')}
          onAddButtonClick={() => setPairs([...pairs, { key: '', value: '' }])}
          onRemoveButtonClick={({ detail }) => setPairs(pairs.filter((_, index) => index !== detail.itemIndex))}
          empty={<Box color="text-body-secondary">{t('noVariables')}</Box>}
          definition={[
            {
              label: t('key'),
              control: (item, index) => (
                <Input
                  value={item.key}
                  spellcheck={false}
                  onChange={({ detail }) => change(index, { key: detail.value })}
                />
              ),
            },
            {
              label: t('value'),
              control: (item, index) => (
                <Input
                  value={item.value}
                  spellcheck={false}
                  onChange={({ detail }) => change(index, { value: detail.value })}
                />
              ),
            },
          ]}
        />
      )}
    </EditableSection>
  );
}
