import CollectionPreferences from '@cloudscape-design/components/collection-preferences';
import { useText } from '../language/language.ts';

const PAGE_SIZES = [10, 25, 50, 100];

interface Props {
  readonly pageSize: number;
  readonly onPageSize: (size: number) => void;
}

/** How many functions a page of the list shows. */
export default function ListPreferences({ pageSize, onPageSize }: Props) {
  const t = useText();
  return (
    <CollectionPreferences
      title={t('preferences')}
      confirmLabel={t('confirm')}
      cancelLabel={t('cancel')}
      preferences={{ pageSize }}
      onConfirm={({ detail }) => onPageSize(detail.pageSize ?? pageSize)}
      pageSizePreference={{
        title: t('pageSize'),
        options: PAGE_SIZES.map((value) => ({ value, label: String(value) })),
      }}
    />
  );
}
