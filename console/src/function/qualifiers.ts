import type { SelectProps } from '@cloudscape-design/components/select';
import { useText } from '../language/language.ts';
import { useAliases } from './AliasesTab.tsx';
import { useVersions } from './VersionsTab.tsx';

/** A function's aliases and published versions, for a Select. */
export function useQualifiers(name: string): SelectProps.OptionGroup[] {
  const t = useText();
  const aliases = useAliases(name).data ?? [];
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
