import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import Autosuggest from '@cloudscape-design/components/autosuggest';
import { useCallback } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { useText } from '../language/language.ts';

interface Props {
  /** The ARN, as it was typed or chosen. */
  readonly value: string;
  readonly onChange: (arn: string) => void;
}

/** A role's ARN: chosen among the account's roles, or typed. */
export function RoleInput({ value, onChange }: Props) {
  const t = useText();
  const iam = useClient(IAMClient);
  const load = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await iam.send(new ListRolesCommand({ Marker }), { abortSignal: signal });
        return { items: page.Roles, next: page.Marker };
      }, signal),
    [iam],
  );
  const { data, loading } = useLoad(load);
  return (
    <Autosuggest
      value={value}
      onChange={({ detail }) => onChange(detail.value)}
      options={(data ?? []).map((role) => ({ value: role.Arn ?? '', label: role.Arn, description: role.Description }))}
      statusType={loading ? 'loading' : 'finished'}
      loadingText={t('loading')}
      enteredTextLabel={(text) => t('useText', { text })}
      empty={t('noRoles')}
      placeholder="arn:aws:iam::000000000000:role/my-role"
    />
  );
}
