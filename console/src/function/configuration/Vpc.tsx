import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { useText } from '../../language/language.ts';
import { Empty } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { EditableSection } from './EditableSection.tsx';

const HINTS = [
  ['subnets', /subnet/i],
  ['groups', /security ?group/i],
] as const;

/** Identifiers as a person separates them: by commas, spaces or lines. */
function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}

/** The subnets and security groups that the function belongs to. */
export function Vpc() {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const { name, configuration } = useFunction();
  const now = configuration.VpcConfig;
  const connected = (now?.SubnetIds?.length ?? 0) > 0;
  const [subnets, setSubnets] = useState('');
  const [groups, setGroups] = useState('');
  const [sixth, setSixth] = useState(false);
  return (
    <EditableSection
      title={t('vpc')}
      description={t('vpcText')}
      view={connected ? undefined : <Empty title={t('noVpc')}>{t('noVpcText')}</Empty>}
      pairs={[
        { label: t('vpc'), value: now?.VpcId ?? '–' },
        { label: t('subnets'), value: now?.SubnetIds?.join(', ') },
        { label: t('securityGroups'), value: now?.SecurityGroupIds?.join(', ') },
        { label: t('dualStack'), value: now?.Ipv6AllowedForDualStack ? t('on') : t('off') },
      ]}
      onEdit={() => {
        setSubnets(now?.SubnetIds?.join(', ') ?? '');
        setGroups(now?.SecurityGroupIds?.join(', ') ?? '');
        setSixth(now?.Ipv6AllowedForDualStack ?? false);
      }}
      save={() =>
        lambda.send(
          new UpdateFunctionConfigurationCommand({
            FunctionName: name,
            VpcConfig: {
              SubnetIds: listOf(subnets),
              SecurityGroupIds: listOf(groups),
              Ipv6AllowedForDualStack: sixth,
            },
          }),
        )
      }
      hints={HINTS}
    >
      {(errorOf) => (
        <>
          <FormField label={t('subnets')} description={t('subnetsHint')} errorText={errorOf('subnets')}>
            <Input
              value={subnets}
              onChange={({ detail }) => setSubnets(detail.value)}
              placeholder="subnet-0123456789abcdef0"
              spellcheck={false}
            />
          </FormField>
          <FormField label={t('securityGroups')} description={t('securityGroupsHint')} errorText={errorOf('groups')}>
            <Input
              value={groups}
              onChange={({ detail }) => setGroups(detail.value)}
              placeholder="sg-0123456789abcdef0"
              spellcheck={false}
            />
          </FormField>
          <Toggle checked={sixth} onChange={({ detail }) => setSixth(detail.checked)}>
            {t('dualStack')}
          </Toggle>
        </>
      )}
    </EditableSection>
  );
}
