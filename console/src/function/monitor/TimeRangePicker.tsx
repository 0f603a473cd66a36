import DateRangePicker from '@cloudscape-design/components/date-range-picker';
import { type Key, useText } from '../../language/language.ts';
import { isUsable, RELATIVE_RANGES, type TimeRange } from './timeRange.ts';

/** What RELATIVE_RANGES are called. */
const RANGE_NAMES: Readonly<Record<string, Key>> = {
  '15m': 'last15Minutes',
  '1h': 'lastHour',
  '3h': 'last3Hours',
  '1d': 'lastDay',
  '7d': 'lastWeek',
};

interface Props {
  readonly range: TimeRange;
  readonly onChange: (range: TimeRange) => void;
}

/** Chooses the stretch of time that a page looks at. */
export function TimeRangePicker({ range, onChange }: Props) {
  const t = useText();
  return (
    <DateRangePicker
      value={range}
      onChange={({ detail }) => detail.value && onChange(detail.value)}
      relativeOptions={RELATIVE_RANGES}
      isValidRange={(wanted) =>
        wanted && isUsable(wanted) ? { valid: true } : { valid: false, errorMessage: t('timeRangeInvalid') }
      }
      showClearButton={false}
      ariaLabel={t('timeRange')}
      i18nStrings={{ formatRelativeRange: ({ key }) => t(RANGE_NAMES[key ?? ''] ?? 'timeRange') }}
    />
  );
}
