import { CloudWatchLogsClient, type FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Toggle from '@cloudscape-design/components/toggle';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { isExpired } from '../aws/errors.ts';
import { LogText } from '../function/test/LogText.tsx';
import { formatClock } from '../language/format.ts';
import { type Key, useLanguage, useText } from '../language/language.ts';
import { signOut } from '../session/session.ts';
import { Empty, Problem } from '../shell/Problem.tsx';
import { followLogs, withTail } from './liveTail.ts';
import { type Found, type LogFocus, MOST_EVENTS, searchLogs } from './logSearch.ts';

const ALL = 'all';
/** The span that somebody asked for, in the choice of ranges. */
const FOCUS = 'focus';

const RANGES: readonly (readonly [string, Key, number])[] = [
  ['5m', 'last5Minutes', 5 * 60_000],
  ['1h', 'lastHour', 3_600_000],
  ['1d', 'lastDay', 86_400_000],
  [ALL, 'allTime', 0],
];

interface Props {
  readonly group: string;
  readonly stream?: string;
  /** What to begin with; another one is searched at once. */
  readonly focus?: LogFocus;
}

/** Searches a log group, and follows it. */
export function LogViewer({ group, stream, focus }: Props) {
  const t = useText();
  const language = useLanguage();
  const logs = useClient(CloudWatchLogsClient);
  const [typed, setTyped] = useState(focus?.pattern ?? '');
  const [pattern, setPattern] = useState(typed);
  const [range, setRange] = useState(focus?.span ? FOCUS : ALL);
  const [live, setLive] = useState(false);
  const [found, setFound] = useState<Found | undefined>();
  const [told, setTold] = useState<readonly FilteredLogEvent[]>([]);
  const [error, setError] = useState<unknown>();
  const [loading, setLoading] = useState(false);
  const [turn, setTurn] = useState(0);
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (focus === undefined) return;
    setTyped(focus.pattern);
    setPattern(focus.pattern);
    setRange(focus.span ? FOCUS : ALL);
    setLive(false);
  }, [focus]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again
  useEffect(() => {
    const abort = new AbortController();
    const length = RANGES.find(([id]) => id === range)?.[2] ?? 0;
    const query =
      range === FOCUS && focus?.span
        ? { group, pattern, stream: focus.stream ?? stream, ...focus.span }
        : { group, pattern, stream, startMs: length && Date.now() - length };
    const failed = (problem: unknown) => {
      if (abort.signal.aborted) return;
      if (isExpired(problem)) signOut('expired');
      setError(problem);
      setLoading(false);
      setLive(false);
    };
    const search = async () => {
      const answer = await searchLogs(logs, query, abort.signal);
      if (abort.signal.aborted) return;
      setFound(answer);
      setLoading(false);
    };
    const follow = async () => {
      // First the tail, then the search: nothing that is logged in between is missed.
      const onStart = () => void search().catch(failed);
      const onEvents = (events: readonly FilteredLogEvent[]) =>
        setTold((before) => [...before, ...events].slice(-MOST_EVENTS));
      await followLogs(logs, query, { onStart, onEvents }, abort.signal);
      if (abort.signal.aborted) return;
      setLive(false);
    };
    setLoading(true);
    setError(undefined);
    setTold([]);
    (live ? follow() : search()).catch(failed);
    return () => abort.abort();
  }, [logs, group, stream, pattern, range, focus, live, turn]);

  const events = useMemo(() => withTail(found?.events ?? [], told), [found, told]);
  const count = events.length;
  useEffect(() => {
    if (live && count > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [live, count]);

  const clock = (ms: number) => new Date(ms).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
  const options = [
    ...RANGES.map(([value, key]) => ({ value, label: t(key) })),
    ...(focus?.span ? [{ value: FOCUS, label: `${clock(focus.span.startMs)} – ${clock(focus.span.endMs)}` }] : []),
  ];

  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={found && `(${count}${found.more ? '+' : ''})`}
          actions={
            <SpaceBetween direction="horizontal" size="m" alignItems="center">
              <Toggle checked={live} onChange={({ detail }) => setLive(detail.checked)}>
                {t('liveTail')}
              </Toggle>
              <Button iconName="refresh" ariaLabel={t('refresh')} loading={loading} onClick={() => setTurn(turn + 1)} />
            </SpaceBetween>
          }
        >
          {t('logEvents')}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            setPattern(typed.trim());
            setTurn(turn + 1);
          }}
        >
          <div className="wide">
            <Input
              type="search"
              value={typed}
              onChange={({ detail }) => setTyped(detail.value)}
              placeholder={t('patternPlaceholder')}
              ariaLabel={t('filterPattern')}
              clearAriaLabel={t('clearFilter')}
            />
          </div>
          <Select
            ariaLabel={t('timeRange')}
            selectedOption={options.find(({ value }) => value === range) ?? null}
            options={options}
            disabled={live}
            onChange={({ detail }) => setRange(detail.selectedOption.value ?? ALL)}
          />
          <Button formAction="submit">{t('search')}</Button>
        </form>
        {live && <StatusIndicator type="in-progress">{t('liveTailOn')}</StatusIndicator>}
        <Problem error={error} />
        {found?.more && <Box color="text-body-secondary">{t('onlyNewest', { count: MOST_EVENTS })}</Box>}
        {count > 0 ? (
          <div className="log-rows" data-testid="log-events">
            {events.map((event) => (
              <div key={event.eventId} className="log-row">
                <time dateTime={new Date(event.timestamp ?? 0).toISOString()} title={event.logStreamName}>
                  {formatClock(event.timestamp ?? 0, language)}
                </time>
                <LogText text={event.message ?? ''} inline />
              </div>
            ))}
            <div ref={end} />
          </div>
        ) : (
          !loading &&
          error === undefined && (
            <Empty title={t('noLogEvents')}>
              {found?.groupMissing ? t('noLogGroupText') : pattern ? t('noMatchHint') : t('noLogEventsText')}
            </Empty>
          )
        )}
      </SpaceBetween>
    </Container>
  );
}
