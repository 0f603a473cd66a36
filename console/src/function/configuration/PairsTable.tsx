import Box from '@cloudscape-design/components/box';
import Table from '@cloudscape-design/components/table';
import { useText } from '../../language/language.ts';

interface Props {
  readonly label: string;
  readonly pairs: readonly (readonly [string, string])[];
}

/** Keys and values, as they are. */
export function PairsTable({ label, pairs }: Props) {
  const t = useText();
  return (
    <Table
      variant="embedded"
      ariaLabels={{ tableLabel: label }}
      items={[...pairs]}
      trackBy={([key]) => key}
      columnDefinitions={[
        { id: 'key', header: t('key'), isRowHeader: true, cell: ([key]) => <Box variant="code">{key}</Box> },
        { id: 'value', header: t('value'), cell: ([, value]) => <Box variant="code">{value}</Box> },
      ]}
    />
  );
}
