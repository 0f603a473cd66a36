import Box from '@cloudscape-design/components/box';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useText } from '../language/language.ts';
import { RUNTIMES, type RuntimeInfo, supportOf } from '../runtimes/runtimes.ts';

interface RuntimeSelectProps {
  readonly value: string;
  readonly onChange: (runtime: string) => void;
}

/** The runtimes, with what one has to know before choosing an old one. */
export function RuntimeSelect({ value, onChange }: RuntimeSelectProps) {
  const t = useText();
  const option = (runtime: RuntimeInfo) => {
    const support = supportOf(runtime);
    const note =
      support === 'blocked'
        ? t('blockedSince', { date: runtime.blockCreate ?? '' })
        : support === 'deprecated'
          ? t('deprecatedSince', { date: runtime.deprecated ?? '' })
          : runtime.deprecated
            ? t('supportedUntil', { date: runtime.deprecated })
            : t('preview');
    return {
      value: runtime.id,
      label: runtime.name,
      labelTag: support === 'current' ? undefined : t(support),
      description: note,
      disabled: support === 'blocked',
    };
  };
  const options = RUNTIMES.map(option);
  return (
    <SpaceBetween size="xxs">
      <Select
        selectedOption={options.find((known) => known.value === value) ?? { value, label: value }}
        options={options}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? value)}
        filteringType="auto"
        filteringAriaLabel={t('runtime')}
      />
      <Box color="text-body-secondary" fontSize="body-s">
        {options.find((known) => known.value === value)?.description}
      </Box>
    </SpaceBetween>
  );
}
