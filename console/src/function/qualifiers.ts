import { LambdaClient, ListAliasesCommand } from '@aws-sdk/client-lambda';
import type { SelectProps } from '@cloudscape-design/components/select';
import { useCallback } from 'react';
import { useClient } from '../aws/clients.ts';
import { useLoad } from '../aws/load.ts';
import { allPages } from '../aws/pages.ts';
import { useText } from '../language/language.ts';
import { useVersions } from './VersionsTab.tsx';

/** A function's aliases and published versions, for a Select. */
export function useQualifiers(name: string): SelectProps.OptionGroup[] {
  const t = useText();
  const lambda = useClient(LambdaClient);
  const loadAliases = useCallback(
    (signal: AbortSignal) =>
      allPages(async (Marker: string | undefined) => {
        const page = await lambda.send(new ListAliasesCommand({ FunctionName: name, Marker }));
        return { items: page.Aliases, next: page.NextMarker };
      }, signal),
    [lambda, name],
  );
  const aliases = useLoad(loadAliases).data ?? [];
  const versions = useVersions(name).data ?? [];
  const group = (label: string, values: readonly (string | undefined)[]) =>
    values.length > 0 ? [{ label, options: values.map((value) => ({ value, label: value })) }] : [];
  return [
    ...group(
      t('aliases'),
      aliases.map(({ Name }) => Name),
    ),
    ...group(
      t('versions'),
      versions.map(({ Version }) => Version),
    ),
  ];
}
