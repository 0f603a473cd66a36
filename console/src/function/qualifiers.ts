import type { SelectProps } from '@cloudscape-design/components/select';
import { useText } from '../language/language.ts';
import { useAliases } from './AliasesTab.tsx';
import { useVersions } from './VersionsTab.tsx';

export interface Qualifiers {
  /** Aliases and published versions, for a Select. */
  readonly options: readonly SelectProps.OptionGroup[];
  /** The version behind an alias (the first one, where it has two); a version is its own. */
  readonly versionOf: (qualifier: string) => string;
}

/** What a function can be called by, besides its name. */
export function useQualifiers(name: string): Qualifiers {
  const t = useText();
  const aliases = useAliases(name).data ?? [];
  const versions = useVersions(name).data ?? [];
  const group = (label: string, values: readonly (string | undefined)[]) =>
    values.length > 0 ? [{ label, options: values.map((value) => ({ value, label: value })) }] : [];
  return {
    options: [
      ...group(
        t('aliases'),
        aliases.map(({ Name }) => Name),
      ),
      ...group(
        t('versions'),
        versions.map(({ Version }) => Version),
      ),
    ],
    versionOf: (qualifier) => aliases.find(({ Name }) => Name === qualifier)?.FunctionVersion ?? qualifier,
  };
}
