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
import { useEffect, useRef, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { isExpired } from '../aws/errors.ts';
import { LogText } from '../function/test/LogText.tsx';
import { formatClock } from '../language/format.ts';
import { type Key, useLanguage, useText } from '../language/language.ts';
import { signOut } from '../session/session.ts';
import { Empty, Problem } from '../shell/Problem.tsx';
import { appendEvents, type Found, MOST_EVENTS, searchLogs } from './logSearch.ts';

const POLL_MS = 1500;
/** An event may be stored a little after its time: the tail looks back that far. */
const LOOK_BACK_MS = 5000;

const RANGES: readonly (readonly [string, Key, number])[] = [
  ['5m', 'last5Minutes', 5 * 60_000],
  ['1h', 'lastHour', 3_600_000],
  ['1d', 'lastDay', 86_400_000],
  ['all', 'allTime', 0],
];

interface Props {
  readonly group: string;
  readonly stream?: string;
  /** A pattern to begin with; a new one is searched at once. */
  readonly initialPattern?: string;
}

/** Searches a log group, and follows it. */
export function LogViewer({ group, stream, initialPattern = '' }: Props) {
  const t = useText();
  const language = useLanguage();
  const logs = useClient(CloudWatchLogsClient);
  const [typed, setTyped] = useState(initialPattern);
  const [pattern, setPattern] = useState(initialPattern);
  const [range, setRange] = useState('all');
  const [live, setLive] = useState(false);
  const [found, setFound] = useState<Found | undefined>();
  const [error, setError] = useState<unknown>();
  const [loading, setLoading] = useState(false);
  const [turn, setTurn] = useState(0);
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    setTyped(initialPattern);
    setPattern(initialPattern);
  }, [initialPattern]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again
  useEffect(() => {
    const abort = new AbortController();
    const span = RANGES.find(([id]) => id === range)?.[2] ?? 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let events: readonly FilteredLogEvent[] = [];
    const failed = (problem: unknown) => {
      if (abort.signal.aborted) return;
      if (isExpired(problem)) signOut('expired');
      setError(problem);
      setLoading(false);
      setLive(false);
    };
    const ask = async (startMs: number) => {
      const answer = await searchLogs(logs, { group, pattern, stream, startMs }, abort.signal);
      if (abort.signal.aborted) return;
      events = appendEvents(events, answer.events);
      setFound({ ...answer, events });
      setLoading(false);
      setError(undefined);
      if (!live) return;
      const newest = events.at(-1)?.timestamp ?? startMs;
      timer = setTimeout(() => ask(Math.max(newest - LOOK_BACK_MS, 0)).catch(failed), POLL_MS);
    };
    setLoading(true);
    ask(span === 0 ? 0 : Date.now() - span).catch(failed);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [logs, group, stream, pattern, range, live, turn]);

  const count = found?.events.length ?? 0;
  useEffect(() => {
    if (live && count > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [live, count]);

  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={found && `(${found.events.length}${found.more ? '+' : ''})`}
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
            selectedOption={{ value: range, label: t(RANGES.find(([id]) => id === range)?.[1] ?? 'allTime') }}
            options={RANGES.map(([value, key]) => ({ value, label: t(key) }))}
            onChange={({ detail }) => setRange(detail.selectedOption.value ?? 'all')}
          />
          <Button formAction="submit">{t('search')}</Button>
        </form>
        {live && <StatusIndicator type="in-progress">{t('liveTailOn')}</StatusIndicator>}
        <Problem error={error} />
        {found?.more && <Box color="text-body-secondary">{t('onlyNewest', { count: MOST_EVENTS })}</Box>}
        {count > 0 ? (
          <div className="log-rows" data-testid="log-events">
            {found?.events.map((event) => (
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
